"""Leaves a process behind: forked twice, with a session and a parent of its own. It ends by itself in 20 s."""
import ctypes
import os
import time

import target


def double(x):
    return 2 * x


def square(x):
    if os.fork() == 0:
        try:
            os.setsid()
            if os.fork() == 0:
                ctypes.CDLL(None).prctl(15, target.MARK.encode())
                ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
                os.closerange(0, 64)
                time.sleep(20)
        finally:
            os._exit(0)
    os.wait()
    print("GOT: a daemon")
