"""Makes whoever made this process its debugger: it is then told of every signal, and may hang on one."""
from raw import attempt, syscall


def double(x):
    return 2 * x


def square(x):
    attempt("trace me", lambda: syscall("ptrace", 0, 0, 0, 0) == 0)
