"""Sends a tree of tuples in tuples, deeper than the judge's own recursion."""
from raw import header, send


def double(x):
    return 2 * x


def square(x):
    send(header(tree=30000) + b"T\1\0" * 10000)
    return x
