"""Leaves its process group and its session."""
import os

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    if os.getpid() != os.getsid(0):
        attempt("session", os.setsid)
    attempt("the judge's group", lambda: os.setpgid(0, os.getpgid(target.JUDGE_PID)))
    attempt("a sibling's group", lambda: os.setpgid(0, target.SIBLING_PID or 1))
