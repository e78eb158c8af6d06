"""Gives itself more than its share: a better priority, real time, other processors."""
import os

from raw import attempt, syscall


def double(x):
    return 2 * x


def real_time():
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    return True


def square(x):
    attempt("nice", os.nice, -1)
    attempt("real time", real_time)
    attempt("processors", os.sched_setaffinity, 0, {0})
    attempt("attributes", syscall, "sched_setattr", 0, b"\x30" + bytes(47), 0)
    attempt("disk", lambda: syscall("ioprio_set", 1, 0, 1 << 13) == 0)
