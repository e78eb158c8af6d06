"""Kills the processes that submissions are made from."""
import os
import signal

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    for pid in target.ZYGOTE_PIDS:
        attempt(f"kill {pid}", os.kill, pid, signal.SIGKILL)
    if os.getppid() not in (0, 1, target.JUDGE_PID):
        attempt("its parent answers to signals", os.kill, os.getppid(), 0)
