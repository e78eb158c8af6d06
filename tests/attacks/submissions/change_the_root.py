"""Changes its root, to get out of a private one."""
import os

import target
from raw import attempt, reached


def double(x):
    return 2 * x


def square(x):
    attempt("chroot", os.chroot, target.SECRET_FOLDER)
    attempt("read", lambda: open(f"/{target.MARK}-answers.txt").read())
    attempt("by a descriptor", lambda: [os.fchdir(fd) for fd in range(3) if os.fstat(fd).st_mode & 0o40000] or False)
    attempt("pivot_root", reached, "pivot_root", 0, 0)
