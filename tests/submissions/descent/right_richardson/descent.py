import numpy as np


def check_gradient(f, df, x):
    coarse, fine = central_difference(f, x, 2e-3), central_difference(f, x, 1e-3)
    n = (4 * fine - coarse) / 3
    size = np.linalg.norm(n) + np.abs(f(x))
    return 1 if np.linalg.norm(df(x) - n) / size < 1e-5 else 0
