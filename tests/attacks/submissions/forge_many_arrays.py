"""Announces more arrays than there may be, each as large as may be."""
from raw import array, header, send


def double(x):
    return 2 * x


def square(x):
    send(header(arrays=16384, tree=3) + array(11, 1 << 20) * 16384)
    return x
