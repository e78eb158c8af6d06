"""Ends its process while it is loaded."""
import os

os._exit(0)


def double(x):
    return 2 * x


def square(x):
    return None
