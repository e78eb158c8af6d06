import numpy as np


def dvalley(p):
    x, y = p
    return np.array([20 * (y - x**2), -2 * (1 - x) - 40 * x * (y - x**2)])
