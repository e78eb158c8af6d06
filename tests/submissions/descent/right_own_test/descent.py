import numpy as np


def df(x):
    return x**2 * (4 * x + 3) / (x**4 + x**3 + 2)


def _test():
    rng = np.random.default_rng(1)
    for _ in range(3):
        x = rng.standard_normal(4)
        assert check_gradient(lambda x: f(x).sum(), df, x)


def check_gradient(f, df, x):
    n = central_difference(f, x, 1e-6)
    return np.max(np.abs(df(x) - n)) < 1e-5 * (np.max(np.abs(n)) + abs(f(x)))
