"""Raises an exception of 10 MB of text, with notes."""


def double(x):
    return 2 * x


def square(x):
    error = ValueError("x" * 10_000_000)
    error.add_note("passed\n" * 100_000)
    raise error
