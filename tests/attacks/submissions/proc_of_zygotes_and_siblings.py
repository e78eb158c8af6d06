"""Reads the memory of another submission, and of the process that made this one, in /proc."""
import os

import target
from raw import attempt


def double(x):
    return 2 * x


def memory(pid, address):
    with open(f"/proc/{pid}/mem", "rb", 0) as file:
        file.seek(address)
        return file.read(target.LENGTH)


def square(x):
    attempt("sibling's memory", memory, target.SIBLING_PID, target.SIBLING_ADDRESS)
    for pid in [target.SIBLING_PID, *target.ZYGOTE_PIDS, os.getppid(), 1]:
        attempt(f"{pid}: status", lambda p=pid: open(f"/proc/{p}/status").readline())
        attempt(f"{pid}: maps", lambda p=pid: len(open(f"/proc/{p}/maps").readline()))
        attempt(f"{pid}: descriptors", lambda p=pid: len(os.listdir(f"/proc/{p}/fd")))
    attempt("everybody", lambda: len([n for n in os.listdir("/proc") if n.isdigit()]) or False)
