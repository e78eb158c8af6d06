"""Takes standard output away, and puts something in its place that never returns."""
import sys


def double(x):
    return 2 * x


class Out:
    def __getattr__(self, name):
        while True:
            pass


def square(x):
    sys.stdout = sys.stderr = sys.__stdout__ = None
    sys.displayhook = sys.breakpointhook = None
    sys.stdout = Out()
    return x
