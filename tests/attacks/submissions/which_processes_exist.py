"""Finds out which processes there are, by calls that take a number and only read."""
import os
import resource

import target
from raw import attempt, syscall


def double(x):
    return 2 * x


def square(x):
    for pid in {target.JUDGE_PID, target.SIBLING_PID, *target.ZYGOTE_PIDS} - {0}:
        attempt(f"{pid}: group", os.getpgid, pid)
        attempt(f"{pid}: session", os.getsid, pid)
        attempt(f"{pid}: niceness", os.getpriority, os.PRIO_PROCESS, pid)
        attempt(f"{pid}: processors", os.sched_getaffinity, pid)
        attempt(f"{pid}: scheduler", os.sched_getscheduler, pid)
        attempt(f"{pid}: limits", resource.prlimit, pid, resource.RLIMIT_NOFILE)
        attempt(f"{pid}: handle", syscall, "pidfd_open", pid, 0)
        attempt(f"{pid}: clock", lambda p=pid: __import__("time").clock_gettime((~p << 3) | 2))
