"""Announces an array of 2^80 elements."""
from raw import array, header, send


def double(x):
    return 2 * x


def square(x):
    send(header(arrays=1, tree=3) + array(11, 1 << 40, 1 << 40) + b"A\0\0")
    return x
