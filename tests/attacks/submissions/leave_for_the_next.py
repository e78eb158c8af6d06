"""Leaves something for the next submission in every place there is, and looks for what the last one left."""
import builtins
import os
import sys
import threading

import numpy as np

import target
from raw import LIBC, attempt, syscall

PATH = f"{target.WRITABLE[0]}/{target.MARK}-for-the-next"


def double(x):
    return 2 * x


def found():
    yield "module", target.MARK in sys.modules
    yield "builtin", hasattr(builtins, target.MARK)
    yield "array library", hasattr(np, target.MARK)
    yield "environment", target.MARK in os.environ
    yield "thread", any(thread.name == target.MARK for thread in threading.enumerate())
    yield "file", os.path.exists(PATH)
    yield "shared memory", LIBC.shmget(target.IPC_KEY, 0, 0) >= 0
    try:
        yield "key", syscall("keyctl", 10, -4, b"user", target.MARK.encode(), 0) > 0
    except OSError:
        pass


def leave():
    sys.modules[target.MARK] = sys
    setattr(builtins, target.MARK, 1)
    setattr(np, target.MARK, 1)
    os.environ[target.MARK] = "1"
    attempt_quietly(lambda: open(PATH, "w").write("x"))
    attempt_quietly(lambda: LIBC.shmget(target.IPC_KEY, 4096, 0o1666))
    attempt_quietly(lambda: syscall("add_key", b"user", target.MARK.encode(), b"left", 4, -4))


def attempt_quietly(action):
    try:
        action()
    except OSError:
        pass


COUNT = [0]


def square(x):
    if not COUNT[0]:
        for what, there in found():
            if there:
                print("GOT: left by the last one:", what)
        leave()
    COUNT[0] += 1
