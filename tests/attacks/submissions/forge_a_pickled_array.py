"""Sends a pickle as the bytes of a tree."""
from raw import header, send

PICKLE = b"\x80\x04c__builtin__\nprint\n(S'GOT: unpickled'\ntR."


def double(x):
    return 2 * x


def square(x):
    send(header(tree=len(PICKLE)) + PICKLE)
    return x
