import numpy as np


def central_difference(f, x, h):
    n = np.zeros_like(x)
    for d in range(len(x)):
        moved = x.copy()
        moved[d] += h
        n[d] = (f(moved) - f(x)) / h
    return n
