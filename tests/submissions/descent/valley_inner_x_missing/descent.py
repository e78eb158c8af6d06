import numpy as np


def dvalley(p):
    x, y = p
    return np.array([-2 * (1 - x) - 40 * (y - x**2), 20 * (y - x**2)])
