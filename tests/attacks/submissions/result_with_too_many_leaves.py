"""Returns more values than there may be, each a list in a list."""


def double(x):
    return 2 * x


def square(x):
    return [[[1.0]] * 1000] * 1000
