"""Stops its own process: it is neither gone nor busy."""
import os
import signal


def double(x):
    return 2 * x


def square(x):
    os.kill(os.getpid(), signal.SIGSTOP)
    signal.raise_signal(signal.SIGSTOP)
    while True:
        pass
