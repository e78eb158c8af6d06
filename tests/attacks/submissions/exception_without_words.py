"""Raises an exception that can't be shown: every way to ask it something raises, or never returns."""


def double(x):
    return 2 * x


class Mute(BaseException):
    def __str__(self):
        raise self

    __repr__ = __str__
    __reduce__ = __str__

    @property
    def __traceback__(self):
        while True:
            pass

    args = __cause__ = __context__ = __notes__ = property(lambda self: 1 / 0)


def square(x):
    raise Mute
