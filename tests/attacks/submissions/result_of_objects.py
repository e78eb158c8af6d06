"""Returns an array of objects, which would have to be pickled."""
import numpy as np


def double(x):
    return 2 * x


class Bomb:
    def __reduce__(self):
        return (print, ("GOT: unpickled",))


def square(x):
    return np.array([Bomb()] * 3, dtype=object)
