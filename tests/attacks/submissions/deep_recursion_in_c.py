"""Nests objects so deeply that C code that walks through them uses up its stack."""


def double(x):
    return 2 * x


def square(x):
    nested = []
    for _ in range(200_000):
        nested = [nested]
    return repr(nested)
