import numpy as np


def f(x):
    return np.log1p(x**3 * (x + 1) + 1)


def df(x):
    return x * x * (4 * x + 3) / np.polyval([1, 1, 0, 0, 2], x)
