"""Runs a program that is in no file: from a descriptor, and by its bytes."""
import os

from raw import attempt


def double(x):
    return 2 * x


def square(x):
    fd = attempt("memfd", lambda: os.memfd_create("program", 0))
    if fd is None:
        return
    os.write(fd, b"#!/bin/sh\necho 'GOT: a program from memory'\n")
    os.execve(fd, ["program"], {})
