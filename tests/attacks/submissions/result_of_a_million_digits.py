"""Returns a number that takes for ever to write down."""


def double(x):
    return 2 * x


def square(x):
    return 7**300_000
