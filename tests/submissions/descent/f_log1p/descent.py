import numpy as np


def f(x):
    return np.log1p(x**4 + x**3 + 2)


def df(x):
    return (4 * x**3 + 3 * x**2) / (x**4 + x**3 + 3)
