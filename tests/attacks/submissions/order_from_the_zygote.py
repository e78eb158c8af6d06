"""Speaks to whatever it finds open beyond its own, as the judge would to the process that makes submissions."""
import os

from raw import attempt, channel, descriptors


def double(x):
    return 2 * x


def square(x):
    for fd in {*descriptors(), *range(3, 64)} - {0, 1, 2, channel()}:
        attempt(f"descriptor {fd}", os.write, fd, b"\x00" * 16)
