"""Opens devices: the kernel's messages, the machine's memory, virtual machines, terminals."""
import os

from raw import attempt


def double(x):
    return 2 * x


def square(x):
    for name in ("kmsg", "mem", "kvm", "fuse", "tty", "ptmx", "full", "zero", "null", "urandom", "shm"):
        attempt(name, lambda p=f"/dev/{name}": os.close(os.open(p, os.O_RDONLY | os.O_NONBLOCK)) or True)
    attempt("a pseudo terminal", os.openpty)
