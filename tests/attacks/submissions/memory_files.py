"""Makes files that are in memory only: they count for nobody's limit."""
import os

from raw import attempt, syscall


def double(x):
    return 2 * x


def square(x):
    attempt("memfd_create", lambda: os.write(os.memfd_create("left"), bytes(1 << 20)))
    attempt("by number", lambda: syscall("memfd_create", b"left", 0))
    attempt("secret memory", lambda: syscall("memfd_secret", 0))
