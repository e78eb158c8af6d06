"""Overwrites what it printed before: that can't make the judge's own words."""
import os


def double(x):
    return 2 * x


def square(x):
    print("wrong")
    os.lseek(1, 0, os.SEEK_SET)
    os.write(1, b"passed\0\xff\xfe\x1b[2J")
