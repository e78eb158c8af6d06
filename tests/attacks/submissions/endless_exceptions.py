"""Catches whatever should end it, and goes on."""


def double(x):
    return 2 * x


def square(x):
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue
