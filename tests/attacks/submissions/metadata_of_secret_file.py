"""Learns of a file that it is there, how large and how old, without opening it."""
import os

import target
from raw import AT_FDCWD, attempt, syscall


def double(x):
    return 2 * x


def square(x):
    path = target.SECRET_FILE
    attempt("exists", lambda: os.path.exists(path))
    attempt("access", lambda: os.access(path, os.F_OK))
    attempt("stat", lambda: os.stat(path).st_size)
    attempt("lstat", lambda: os.lstat(path).st_mtime)
    attempt("statx", lambda: syscall("statx", AT_FDCWD, path.encode(), 0, 0x7FF, bytearray_of(256)))
    attempt("faccessat2", lambda: syscall("faccessat2", AT_FDCWD, path.encode(), 0, 0))
    attempt("statvfs", lambda: os.statvfs(target.SECRET_FOLDER).f_blocks)
    attempt("extended attributes", lambda: os.listxattr(path))
    attempt("realpath, strict", lambda: os.path.realpath(path, strict=True))


def bytearray_of(size):
    import ctypes

    return ctypes.create_string_buffer(size)
