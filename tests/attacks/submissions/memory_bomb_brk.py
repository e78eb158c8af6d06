"""Takes memory by moving the end of the heap."""
import ctypes

import target
from raw import LIBC


def double(x):
    return 2 * x


def square(x):
    LIBC.sbrk.restype = ctypes.c_void_p
    failed = ctypes.c_void_p(-1).value
    start = LIBC.sbrk(ctypes.c_long(2 * target.MEMORY))
    if start != failed:
        ctypes.memset(start, 1, 2 * target.MEMORY)
        print("GOT: twice its memory")
