"""Sends a reply before it is asked, with a guessed number of the call."""
from raw import header, send


def double(x):
    return 2 * x


def square(x):
    send(header(number=0, tree=1) + b"N")
    return x
