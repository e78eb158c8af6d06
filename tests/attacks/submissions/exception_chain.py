"""Raises an exception with a chain of causes that closes on itself, in groups of groups."""


def double(x):
    return 2 * x


def square(x):
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    group = ExceptionGroup("group", [first])
    for _ in range(500):
        group = ExceptionGroup("group", [group])
    raise group from second
