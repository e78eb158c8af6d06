"""Makes a process that shares all its memory with this one, and lets it go on alone."""
import os

from raw import MACHINE, syscall


def double(x):
    return 2 * x


def square(x):
    if MACHINE == "x86_64" and syscall("vfork") == 0:
        os.write(1, b"GOT: vfork\n")
        os._exit(0)
