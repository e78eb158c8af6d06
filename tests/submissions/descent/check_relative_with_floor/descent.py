import numpy as np


def check_gradient(f, df, x):
    a, n = df(x), central_difference(f, x, 1e-5)
    return bool(np.max(np.abs(a - n) / np.maximum(1e-8, np.abs(a) + np.abs(n))) < 1e-5)
