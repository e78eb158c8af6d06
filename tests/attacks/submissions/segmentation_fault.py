"""Reads where nothing is."""
import ctypes


def double(x):
    return 2 * x


def square(x):
    ctypes.string_at(8)
