"""Leaves a key with the kernel, for whoever comes with the same user."""
import target
from raw import attempt, syscall


def double(x):
    return 2 * x


def square(x):
    attempt("add", syscall, "add_key", b"user", target.MARK.encode(), b"left", 4, -4)
    attempt("own keyring", syscall, "keyctl", 0, -4, 1)
    attempt("join", syscall, "keyctl", 1, 0)
    attempt("ask", syscall, "request_key", b"user", target.MARK.encode(), 0, -4)
