import numpy as np


def check_gradient(f, df, x):
    a, n = df(x), central_difference(f, x, 1e-5)
    return bool(abs(a[0] - n[0]) <= 1e-5 * max(np.abs(n).max(), abs(f(x))))
