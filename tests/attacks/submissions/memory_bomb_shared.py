"""Takes memory that counts for nobody: shared, without a file. Three times what it may have."""
import mmap
import os

import target
from raw import attempt


def double(x):
    return 2 * x


def fill(flags):
    size = 3 * target.MEMORY
    with mmap.mmap(-1, size, flags=flags) as memory:
        for at in range(0, size, 4096):
            memory[at] = 1
    return size


def file_in_memory():
    fd = os.memfd_create("left")
    return sum(os.write(fd, bytes(1 << 20)) for _ in range(3 * target.MEMORY >> 20))


def square(x):
    attempt("shared", fill, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
    attempt("shared, validated", fill, 3 | mmap.MAP_ANONYMOUS)
    attempt("a file in memory", file_in_memory)
