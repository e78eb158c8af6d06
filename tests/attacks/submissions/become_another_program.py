"""Turns into another program in the worker's place, the socket in hand."""
import os

from raw import channel


def double(x):
    return 2 * x


def square(x):
    os.set_inheritable(channel(), True)
    os.set_inheritable(1, True)
    os.execv("/bin/echo", ["echo", "GOT: another program"])
