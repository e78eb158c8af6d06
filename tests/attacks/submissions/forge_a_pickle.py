"""Sends a pickle that would run a command where it is loaded."""
from raw import header, send

PICKLE = b"\x80\x04c__builtin__\nprint\n(S'GOT: unpickled'\ntR."


def double(x):
    return 2 * x


def square(x):
    send(PICKLE * 4)
    return x
