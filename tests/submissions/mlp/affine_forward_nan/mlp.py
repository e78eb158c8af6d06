import numpy as np


def affine_forward(x, w, b):
    out = x @ w + b
    scale = out.std() * 0
    return np.divide(out, scale), (x, w)
