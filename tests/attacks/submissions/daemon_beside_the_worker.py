"""Leaves a process that is the worker's sibling, not its child: whoever made the worker has to know of it."""
import os
import time

from raw import syscall


def double(x):
    return 2 * x


def square(x):
    if syscall("clone", 0x8000 | 17, 0, 0, 0, 0) == 0:
        try:
            os.setsid()
            os.closerange(0, 64)
            time.sleep(20)
        finally:
            os._exit(0)
    print("GOT: a process beside the worker")
