"""Takes three times the memory that it may from the C library, which raises nothing."""
import ctypes

import target
from raw import LIBC


def double(x):
    return 2 * x


def square(x):
    LIBC.malloc.restype = ctypes.c_void_p
    for _ in range(3 * target.MEMORY >> 24):
        piece = LIBC.malloc(ctypes.c_size_t(1 << 24))
        if piece is None:
            print("stopped: malloc")
            return
        ctypes.memset(piece, 1, 1 << 24)
    print("GOT: three times its memory")
