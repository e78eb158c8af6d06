"""Announces an array of minus three elements."""
from raw import array, header, send


def double(x):
    return 2 * x


def square(x):
    send(header(arrays=1, tree=3) + array(11, -3) + b"A\0\0")
    return x
