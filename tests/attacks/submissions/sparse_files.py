"""Fills the disk: a file of 8 GB with nothing in it, and 32 MB that are really taken."""
import os
import signal

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    for folder in target.WRITABLE:
        attempt("file", lambda f=folder: take(f"{f}/{target.MARK}-big"))


def take(path):
    fd = os.open(path, os.O_CREAT | os.O_RDWR)
    attempt("sparse", lambda: os.ftruncate(fd, 8 << 30))
    attempt("allocated", lambda: os.posix_fallocate(fd, 0, 32 << 20))
    os.close(fd)
