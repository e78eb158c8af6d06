"""Never returns."""


def double(x):
    return 2 * x


def square(x):
    while True:
        pass
