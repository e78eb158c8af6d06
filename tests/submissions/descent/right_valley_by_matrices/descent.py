import numpy as np


def residuals(p):
    return np.array([1 - p[0], np.sqrt(10) * (p[1] - p[0] ** 2)])


def valley(p):
    r = residuals(p)
    return float(r @ r)


def dvalley(p):
    jacobian = np.array([[-1, 0], [-2 * np.sqrt(10) * p[0], np.sqrt(10)]])
    return 2 * jacobian.T @ residuals(p)
