"""Takes the worker's bounds away and sends 64 MB where 24 bytes are expected."""
from raw import array, header, send


def double(x):
    return 2 * x


def square(x):
    send(header(arrays=1, tree=3) + array(11, 8 << 20) + b"A\0\0")
    for _ in range(1024):
        send(bytes(1 << 16))
    return x
