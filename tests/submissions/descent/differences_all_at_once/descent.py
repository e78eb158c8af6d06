import numpy as np


def central_difference(f, x, h):
    return np.full(len(x), (f(x + h) - f(x - h)) / (2 * h))
