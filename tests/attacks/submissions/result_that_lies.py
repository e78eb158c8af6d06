"""Returns an array of a class that lies about its shape, its size and its contents."""
import numpy as np


def double(x):
    return 2 * x


class Liar(np.ndarray):
    shape = property(lambda self: (3,))
    nbytes = size = property(lambda self: 24)
    dtype = property(lambda self: np.dtype("f8"))
    __array_finalize__ = lambda self, other: None
    tobytes = lambda self, *args: b"\0" * 24
    __array_ufunc__ = __array_function__ = lambda self, *args, **options: True


def square(x):
    return np.zeros((2, 5), np.float32).view(Liar)
