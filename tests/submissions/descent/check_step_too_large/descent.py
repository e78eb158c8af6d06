import numpy as np


def check_gradient(f, df, x):
    n = central_difference(f, x, 0.5)
    return bool(np.abs(df(x) - n).max() <= 1e-5 * max(np.abs(n).max(), abs(f(x))))
