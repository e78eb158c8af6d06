"""Makes the file that holds its output larger than it may be, and takes the seals off."""
import fcntl
import mmap
import os

from raw import attempt


def double(x):
    return 2 * x


def square(x):
    attempt("grow", os.ftruncate, 1, 1 << 30)
    attempt("allocate", os.posix_fallocate, 1, 0, 1 << 26)
    attempt("write far out", lambda: os.pwrite(1, b"x", 1 << 30) == 1)
    attempt("shrink", os.ftruncate, 1, 0)
    attempt("seal against the judge", fcntl.fcntl, 1, 1033, 8)
