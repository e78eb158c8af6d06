"""Puts a filter of system calls of its own on top, which allows all, and asks for a supervisor's end of it."""
import ctypes
import struct

from raw import attempt, syscall


def double(x):
    return 2 * x


def square(x):
    program = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000))
    filters = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 1, ctypes.addressof(program)))
    attempt("filter", lambda: syscall("seccomp", 1, 0, filters) == 0)
    attempt("supervisor", syscall, "seccomp", 1, 8, filters)
    attempt("by prctl", lambda: syscall("prctl", 22, 2, filters, 0, 0) == 0)
    attempt("which actions there are", lambda: syscall("seccomp", 2, 0, struct.pack("I", 0x7FFF0000)) == 0)
