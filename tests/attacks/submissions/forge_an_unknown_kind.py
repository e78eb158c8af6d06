"""Announces elements of kind 255 in 255 dimensions."""
from raw import array, header, send


def double(x):
    return 2 * x


def square(x):
    send(header(arrays=1, tree=3) + array(255, 3, ndim=255) + b"A\0\0")
    return x
