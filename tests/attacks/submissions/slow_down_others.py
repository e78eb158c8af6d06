"""Makes the judge and a sibling slower: nicer, on one processor, last at the disk."""
import os

import target
from raw import attempt, syscall


def double(x):
    return 2 * x


def square(x):
    for pid in {target.JUDGE_PID, target.SIBLING_PID, *target.ZYGOTE_PIDS} - {0}:
        attempt(f"{pid}: niceness", os.setpriority, os.PRIO_PROCESS, pid, 1)
        attempt(f"{pid}: processors", os.sched_setaffinity, pid, {0})
    attempt("disk", lambda: syscall("ioprio_set", 1, target.SIBLING_PID, 2 << 13 | 7) == 0)
