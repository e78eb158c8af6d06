import numpy as np


def central_difference(f, x, h):
    n = np.zeros_like(x)
    moved = x.copy()
    for d in range(len(x)):
        moved[d] += h
        up = f(moved)
        moved[d] -= 2 * h
        n[d] = (up - f(moved)) / (2 * h)
    return n
