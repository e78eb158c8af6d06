"""Calls the kernel by the numbers of x32, and by numbers that are no calls."""
import os

import target
from raw import AT_FDCWD, attempt, syscall


def double(x):
    return 2 * x


def square(x):
    for other in (-1, 333, 1 << 20, 0xFFFF, 1 << 31):
        attempt(f"number {other}", syscall, other, 0, 0, 0)
    path = target.SECRET_FILE.encode()
    attempt("x32", lambda: os.read(syscall(0x40000000 + 257, AT_FDCWD, path, 0), 100))
