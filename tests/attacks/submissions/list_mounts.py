"""Reads the table of mounts by system calls that name no path."""
import ctypes
import struct

from raw import attempt, syscall


def double(x):
    return 2 * x


def square(x):
    found = (ctypes.c_uint64 * 64)()
    root = struct.pack("IIQQQ", 32, 0, 2**64 - 1, 0, 0)
    attempt("listmount", lambda: syscall("listmount", root, found, 64, 0))
    answer = ctypes.create_string_buffer(1 << 14)
    first = struct.pack("IIQQQ", 32, 0, found[0] or 2**64 - 1, 0x3B, 0)
    attempt("statmount", lambda: syscall("statmount", first, answer, 1 << 14, 0) == 0)
