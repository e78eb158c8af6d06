"""Sends a tree that claims 65535 items at each of its levels."""
from raw import header, send


def double(x):
    return 2 * x


def square(x):
    send(header(tree=60) + b"T\xff\xff" * 20)
    return x
