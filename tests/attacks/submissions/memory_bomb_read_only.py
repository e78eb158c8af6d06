"""Takes memory, fills it and gives up the right to write: RLIMIT_DATA does not count it any more."""
import ctypes

import target
from raw import LIBC

PIECE = 16 << 20


def double(x):
    return 2 * x


def square(x):
    LIBC.mmap.restype = ctypes.c_void_p
    for _ in range(3 * target.MEMORY // PIECE):
        start = LIBC.mmap(None, ctypes.c_size_t(PIECE), 3, 0x22, -1, ctypes.c_long(0))
        if start == ctypes.c_void_p(-1).value:
            print("stopped: mmap")
            return
        ctypes.memset(start, 1, PIECE)
        if LIBC.mprotect(ctypes.c_void_p(start), ctypes.c_size_t(PIECE), 1):
            print("stopped: mprotect")
            return
    print("GOT: three times its memory")
