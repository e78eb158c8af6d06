"""Changes its user, its groups and its capabilities."""
import ctypes
import os
import struct

from raw import attempt


def double(x):
    return 2 * x


def square(x):
    attempt("all groups away", os.setgroups, [])
    attempt("group", os.setresgid, 54321, 54321, 54321)
    attempt("capabilities", lambda: capabilities() == 0)
    attempt("user", os.setresuid, 54321, 54321, 54321)
    for call in (os.setuid, os.seteuid, os.setgid):
        attempt(f"{call.__name__} to root", call, 0) if os.getuid() else None


def capabilities():
    head = struct.pack("Ii", 0x20080522, 0)
    return ctypes.CDLL(None, use_errno=True).capset(head, struct.pack("6I", *[0xFFFFFFFF] * 6)) or None
