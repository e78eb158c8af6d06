"""Looks for secrets in the environment and the command line, Python's and the C library's."""
import ctypes
import os
import sys

import target
from raw import LIBC


def double(x):
    return 2 * x


def square(x):
    LIBC.getenv.restype = ctypes.c_char_p
    values = [*os.environ.values(), *sys.argv, *sys.orig_argv, str(LIBC.getenv(b"GRADMARK_SECRET"))]
    environ = ctypes.POINTER(ctypes.c_char_p).in_dll(LIBC, "environ")
    at = 0
    while environ and environ[at]:
        values.append(environ[at].decode("latin-1"))
        at += 1
    for value in values:
        if target.SECRET_PREFIX in value or target.SECRET_FILE in value:
            print("GOT:", value)
