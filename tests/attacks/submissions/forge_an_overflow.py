"""Announces an array of no elements whose dimensions overflow."""
from raw import array, header, send


def double(x):
    return 2 * x


def square(x):
    send(header(arrays=1, tree=3) + array(11, 0, *[1 << 20] * 7) + b"A\0\0")
    return x
