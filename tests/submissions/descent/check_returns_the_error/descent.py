import numpy as np


def check_gradient(f, df, x):
    return float(np.abs(df(x) - central_difference(f, x, 1e-5)).max())
