"""Takes memory that says it is a stack: it grows downwards, and RLIMIT_DATA does not count it."""
import ctypes

import target
from raw import LIBC, attempt

GROWS_DOWN, PRIVATE, ANONYMOUS = 0x100, 0x02, 0x20


def double(x):
    return 2 * x


def square(x):
    LIBC.mmap.restype = ctypes.c_void_p
    attempt("a stack", take)


def take():
    size = 3 * target.MEMORY
    start = LIBC.mmap(None, ctypes.c_size_t(size), 3, GROWS_DOWN | PRIVATE | ANONYMOUS, -1, ctypes.c_long(0))
    if start == ctypes.c_void_p(-1).value:
        return False
    ctypes.memset(start, 1, size)
    return size
