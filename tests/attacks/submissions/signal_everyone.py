"""Asks whether it may send signals to every process there is, and sends none."""
import os

from raw import attempt


def double(x):
    return 2 * x


def square(x):
    attempt("everyone", os.kill, -1, 0)
    for pid in (1, 2, os.getppid()):
        if pid != os.getpid():
            attempt(f"process {pid}", os.kill, pid, 0)
