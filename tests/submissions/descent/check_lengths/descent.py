import numpy as np


def check_gradient(f, df, x):
    a, n = df(x), central_difference(f, x, 1e-5)
    size = np.linalg.norm(n)
    return bool(abs(np.linalg.norm(a) - size) <= 1e-5 * max(size, abs(f(x))))
