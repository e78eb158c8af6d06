"""Takes twice its memory in page tables alone: 256 GB of address space, read at one place in 2 MB."""
import ctypes

import target
from raw import LIBC, attempt

STEP = 2 << 20


def double(x):
    return 2 * x


def square(x):
    LIBC.mmap.restype = ctypes.c_void_p
    attempt("page tables", take)


def take():
    pages = 2 * target.MEMORY // 4096
    start = LIBC.mmap(None, ctypes.c_size_t(pages * STEP), 1, 0x4022, -1, ctypes.c_long(0))
    if start == ctypes.c_void_p(-1).value:
        return False
    sum(ctypes.c_ubyte.from_address(start + n * STEP).value for n in range(pages))
    return pages * 4096
