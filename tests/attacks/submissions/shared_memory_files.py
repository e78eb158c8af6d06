"""Leaves named shared memory and semaphores, as multiprocessing makes them."""
import ctypes

import target
from raw import LIBC, attempt


def double(x):
    return 2 * x


def segment():
    from multiprocessing import resource_tracker, shared_memory

    resource_tracker.register = lambda *args: None  # it would start a process to clean up
    made = shared_memory.SharedMemory(target.MARK, create=True, size=4096)
    made.buf[:4] = b"left"
    return made.name


def square(x):
    attempt("shared memory", segment)
    attempt("shm_open", lambda: LIBC.shm_open(f"/{target.MARK}-c".encode(), 0o102, 0o666) != -1)
    LIBC.sem_open.restype = ctypes.c_void_p
    attempt("sem_open", lambda: LIBC.sem_open(f"/{target.MARK}".encode(), 0o100, 0o666, 1) is not None)
