"""Locks files that siblings have open too (standard input is one): a lock is a bit that the other can read."""
import fcntl
import struct

from raw import attempt, syscall


def double(x):
    return 2 * x


def square(x):
    whole = struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, 0, 0, 0)
    for fd in (0, 1):
        attempt(f"flock {fd}", lambda f=fd: fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB) is None)
        attempt(f"flock {fd} by number", syscall, "flock", fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        attempt(f"F_SETLK {fd}", lambda f=fd: fcntl.fcntl(f, fcntl.F_SETLK, whole))
        attempt(f"F_OFD_SETLK {fd}", lambda f=fd: fcntl.fcntl(f, 37, whole))
        attempt(f"F_GETLK {fd}", lambda f=fd: fcntl.fcntl(f, fcntl.F_GETLK, whole))
