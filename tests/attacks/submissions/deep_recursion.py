"""Calls itself until the stack is used up, with the limit taken away."""
import sys


def double(x):
    return 2 * x


def square(x):
    sys.setrecursionlimit(1 << 30)
    return square(x) + 1
