"""Makes processes by the system calls themselves, which no patch of Python's sees."""
import ctypes
import os
import signal
import struct

from raw import MACHINE, attempt, syscall


def double(x):
    return 2 * x


def forked(what, call, *args):
    reader, writer = os.pipe()

    def action():
        if syscall(call, *args) == 0:
            os.write(writer, b"child")
            os._exit(0)
        return os.read(reader, 10)

    attempt(what, action)


def square(x):
    forked("clone", "clone", int(signal.SIGCHLD), 0, 0, 0, 0)
    forked("clone, the parent waits", "clone", signal.SIGCHLD | 0x4000, 0, 0, 0, 0)
    forked("clone, no signal at its end", "clone", 0, 0, 0, 0, 0)
    forked("clone, as a sibling", "clone", signal.SIGCHLD | 0x8000, 0, 0, 0, 0)
    forked("clone, new namespaces", "clone", signal.SIGCHLD | 0x10000000, 0, 0, 0, 0)
    forked("clone3", "clone3", ctypes.create_string_buffer(struct.pack("8Q", 0, 0, 0, 0, signal.SIGCHLD, 0, 0, 0)), 64)
    if MACHINE == "x86_64":
        forked("fork", "fork")
