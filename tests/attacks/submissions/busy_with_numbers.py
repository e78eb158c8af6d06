"""Is busy with one number of many digits."""


def double(x):
    return 2 * x


def square(x):
    return 3**1_000_000_000
