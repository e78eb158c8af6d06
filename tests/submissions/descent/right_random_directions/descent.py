import numpy as np


def check_gradient(f, df, x):
    rng, h, a = np.random.default_rng(0), 1e-5, df(x)
    for _ in range(20):
        u = rng.standard_normal(len(x))
        n = (f(x + h * u) - f(x - h * u)) / (2 * h)
        if abs(a @ u - n) > 2e-5 * max(np.linalg.norm(a), abs(f(x)), abs(n)):
            return False
    return True
