"""Compares kernel objects of other processes with its own, and asks for addresses in them."""
import ctypes
import os

import target
from raw import attempt, syscall


def double(x):
    return 2 * x


def square(x):
    address, size = ctypes.c_void_p(), ctypes.c_size_t()
    for pid in {target.JUDGE_PID, target.SIBLING_PID, *target.ZYGOTE_PIDS} - {0}:
        attempt(f"kcmp {pid}", syscall, "kcmp", os.getpid(), pid, 0, 0, 0)
        attempt(
            f"robust list of {pid}",
            lambda p=pid: syscall("get_robust_list", p, ctypes.byref(address), ctypes.byref(size)) == 0,
        )
        attempt(f"pages of {pid}", lambda p=pid: syscall("move_pages", p, 0, 0, 0, 0, 0) == 0)
