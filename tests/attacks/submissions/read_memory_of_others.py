"""Reads and writes the memory of the judge and of a sibling by the calls made for it."""
import ctypes
import os

import target
from raw import attempt, syscall


def double(x):
    return 2 * x


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("size", ctypes.c_size_t)]


def copy(call, pid, address, text=b""):
    mine = ctypes.create_string_buffer(text, target.LENGTH + 1)
    here, there = Vector(ctypes.addressof(mine), target.LENGTH), Vector(address, target.LENGTH)
    syscall(call, pid, ctypes.byref(here), 1, ctypes.byref(there), 1, 0)
    return mine.value


def square(x):
    judge = attempt("judge", copy, "process_vm_readv", target.JUDGE_PID, target.JUDGE_ADDRESS)
    sibling = attempt("sibling", copy, "process_vm_readv", target.SIBLING_PID, target.SIBLING_ADDRESS)
    if judge:
        attempt("write it back", copy, "process_vm_writev", target.JUDGE_PID, target.JUDGE_ADDRESS, judge)
    if sibling:
        attempt("write it back", copy, "process_vm_writev", target.SIBLING_PID, target.SIBLING_ADDRESS, sibling)
    for pid in target.ZYGOTE_PIDS:  # its memory is laid out as this process's own
        attempt("zygote", copy, "process_vm_readv", pid, id(os) & -4096)
