"""Sleeps, and takes no processor time by which it could be caught."""
import time


def double(x):
    return 2 * x


def square(x):
    time.sleep(1e6)
