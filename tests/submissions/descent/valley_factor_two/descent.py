import numpy as np


def dvalley(p):
    x, y = p
    return np.array([-(1 - x) - 20 * x * (y - x**2), 10 * (y - x**2)])
