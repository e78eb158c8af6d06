import numpy as np


def f(x):
    return np.log10(x**4 + x**3 + 2)
