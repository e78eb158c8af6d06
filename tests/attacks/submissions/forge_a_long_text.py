"""Announces 4 GB of text."""
from raw import header, send


def double(x):
    return 2 * x


def square(x):
    send(header(status=1, text=(1 << 32) - 1) + b"N")
    return x
