import numpy as np


def check_gradient(f, df, x):
    a, n = df(x), central_difference(f, x, 1e-5)
    return bool((np.abs(a - n) <= 1e-5 * (np.abs(a) + np.abs(n))).all())
