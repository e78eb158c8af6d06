import numpy as np


def dvalley(p):
    h = 1e-5
    dx, dy = np.zeros_like(p), np.zeros_like(p)
    dx[0], dy[1] = h, h
    return np.stack([valley(p + d) - valley(p - d) for d in (dx, dy)]) / (2 * h)
