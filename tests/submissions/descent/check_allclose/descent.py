import numpy as np


def check_gradient(f, df, x):
    return bool(np.allclose(df(x), central_difference(f, x, 1e-5)))
