"""Leaves as a script does that is done: SystemExit with code 0."""
import sys


def double(x):
    return 2 * x


def square(x):
    sys.exit(0)


sys.exit(0)
