import numpy as np


def check_gradient(f, df, x):
    h = 1e-6
    a, n = df(x), central_difference(f, x, h)
    rounding = 1e-14 * abs(f(x)) / h
    return np.all(np.abs(a - n) <= 1e-5 * np.abs(n) + 10 * rounding)
