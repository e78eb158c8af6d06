"""Reads a file of the course by every way there is to open one."""
import io
import linecache
import os
from pathlib import Path

import numpy as np

import target
from raw import AT_FDCWD, LIBC, attempt, syscall


def double(x):
    return 2 * x


def by_number(fd):
    return os.read(fd, 100)


def square(x):
    path = target.SECRET_FILE
    attempt("open", lambda: open(path).read())
    attempt("io.FileIO", lambda: io.FileIO(path).read())
    attempt("os.open", lambda: by_number(os.open(path, os.O_RDONLY)))
    attempt("Path", lambda: Path(path).read_bytes())
    attempt("np.fromfile", lambda: bytes(np.fromfile(path, np.uint8)))
    attempt("np.loadtxt", lambda: np.loadtxt(path, dtype=str))
    attempt("linecache", lambda: linecache.getlines(path) or False)
    attempt("memory map", lambda: bytes(np.memmap(path, np.uint8, "r")))
    attempt("open()", lambda: by_number(syscall("open", path.encode(), 0)))
    attempt("openat()", lambda: by_number(syscall("openat", AT_FDCWD, path.encode(), 0)))
    attempt("openat2()", lambda: by_number(syscall("openat2", AT_FDCWD, path.encode(), bytes(24), 24)))
    attempt("fopen", lambda: LIBC.fopen(path.encode(), b"r") or False)
    attempt("/etc/os-release", lambda: open("/etc/os-release").read(20))
