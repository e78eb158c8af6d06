"""Returns arrays of everything that is no number, one after the other in a list."""
import numpy as np


def double(x):
    return 2 * x


def square(x):
    return [
        np.ma.masked_array(x * 0, mask=[True] * len(x)),
        np.zeros(3, [("a", "f8"), ("b", "O")]),
        np.array(["right", "right"]),
        np.array([b"right"]),
        np.array(["2000-01-01"], dtype="datetime64[s]"),
        np.array([1], dtype="timedelta64[s]"),
        np.zeros(2, "V16"),
        np.zeros(2, np.longdouble),
        np.rec.array([(1, 2.0)]),
        np.matrix([1.0]),
        np.polynomial.Polynomial([1.0]),
        memoryview(b"right"),
        range(3),
        slice(3),
        Ellipsis,
        NotImplemented,
    ]
