"""Overwrites Python's own numbers and constants in memory."""
import ctypes


def double(x):
    return 2 * x


def square(x):
    for number in (0, 1, 2, 3):
        ctypes.memset(id(number) + 24, 7, 4)
    ctypes.memset(id(True) + 24, 0, 4)
    return x
