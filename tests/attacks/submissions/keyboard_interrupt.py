"""Raises what the judge's own Ctrl-C would."""


def double(x):
    return 2 * x


def square(x):
    raise KeyboardInterrupt("stop grading")
