"""Kills all processes of its group; it must be alone in it."""
import os
import signal


def double(x):
    return 2 * x


def square(x):
    if os.getpgrp() != os.getpid():
        print(f"GOT: the process group {os.getpgrp()} of others")
    else:
        os.killpg(0, signal.SIGKILL)
