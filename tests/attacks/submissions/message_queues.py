"""Leaves a POSIX message queue."""
import target
from raw import attempt, syscall


def double(x):
    return 2 * x


def square(x):
    attempt("queue", syscall, "mq_open", target.MARK.encode(), 0o102, 0o666, 0)
