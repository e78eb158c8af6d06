import numpy as np


def check_gradient(f, df, x):
    h = 1e-4
    n = np.array([(f(x + side) - f(x)) / h for side in h * np.eye(len(x))])
    return bool(np.abs(df(x) - n).max() <= 1e-5 * max(np.abs(n).max(), abs(f(x))))
