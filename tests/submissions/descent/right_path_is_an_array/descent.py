import numpy as np


def descend(gradient, start, rate, steps):
    path = np.empty((steps + 1, *start.shape))
    path[0] = start
    for k in range(steps):
        path[k + 1] = path[k] - rate * gradient(path[k])
    return path
