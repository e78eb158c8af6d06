"""Leaves shared memory, semaphores and messages of System V: they outlive everybody."""
import target
from raw import LIBC, attempt


def double(x):
    return 2 * x


def square(x):
    key = target.IPC_KEY
    attempt("shared memory", lambda: LIBC.shmget(key, 4096, 0o1666) >= 0)
    attempt("semaphore", lambda: LIBC.semget(key, 1, 0o1666) >= 0)
    attempt("messages", lambda: LIBC.msgget(key, 0o1666) >= 0)
