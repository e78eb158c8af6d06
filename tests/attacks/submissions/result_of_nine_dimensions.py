"""Returns more dimensions than there may be, with sizes that multiply to little."""


def double(x):
    return 2 * x


def square(x):
    return x.reshape(len(x), *[1] * 20)
