"""Mounts a file system, by the old calls and the new."""
import ctypes

import target
from raw import AT_FDCWD, attempt, reached, syscall


def double(x):
    return 2 * x


def square(x):
    place = target.WRITABLE[0].encode()
    attempt("mount", lambda: syscall("mount", target.MARK.encode(), place, b"tmpfs", 6, ctypes.c_void_p()) == 0)
    attempt("fsopen", syscall, "fsopen", b"tmpfs", 0)
    attempt("open_tree", syscall, "open_tree", AT_FDCWD, b"/", 1)
    attempt("move_mount", reached, "move_mount", -1, b"x", -1, b"y", 0)
    attempt("fspick", lambda: syscall("fspick", AT_FDCWD, b"/", 0))
    attempt("mount_setattr", reached, "mount_setattr", -1, b"", 0x1000, bytes(32), 32)
