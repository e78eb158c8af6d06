"""Returns an object that computes for ever whenever it is asked for anything."""


def double(x):
    return 2 * x


class Lazy:
    def __getattribute__(self, name):
        while True:
            pass

    __array__ = __iter__ = __len__ = __float__ = __repr__ = __str__ = lambda self, *args: self.anything


def square(x):
    return Lazy()
