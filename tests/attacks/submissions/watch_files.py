"""Watches files for what others do with them: inotify, fanotify, dnotify and leases."""
import fcntl
import os
import tempfile

import target
from raw import attempt, syscall


def double(x):
    return 2 * x


def folder_notify():
    fd = os.open(target.WRITABLE[0], os.O_RDONLY)
    return fcntl.fcntl(fd, fcntl.F_NOTIFY, 0) == 0


def square(x):
    attempt("inotify", syscall, "inotify_init1", 0)
    attempt("fanotify", syscall, "fanotify_init", 0, 0)
    attempt("dnotify", folder_notify)
    for fd in (0, 1):
        attempt(f"lease on {fd}", lambda f=fd: fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_RDLCK) == 0)
