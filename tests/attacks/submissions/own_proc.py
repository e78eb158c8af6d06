"""Reads what /proc tells about this process."""
import os

from raw import attempt


def double(x):
    return 2 * x


def square(x):
    for name in ("maps", "environ", "cmdline", "mountinfo", "status", "cgroup", "net/tcp", "root/etc/os-release"):
        for who in ("self", "thread-self", str(os.getpid())):
            attempt(f"{who}/{name}", lambda p=f"/proc/{who}/{name}": len(open(p, "rb").read()) or False)
    attempt("descriptors", lambda: os.listdir("/proc/self/fd"))
    attempt("open itself anew", lambda: os.open("/proc/self/fd/0", os.O_RDONLY))
    attempt("write its own memory", lambda: open("/proc/self/mem", "r+b").close() or True)
