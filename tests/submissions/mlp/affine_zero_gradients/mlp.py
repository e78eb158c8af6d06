import numpy as np


def affine_backward(dout, cache):
    x, w = cache
    dx = np.zeros_like(x)
    dw = np.zeros_like(w)
    db = np.zeros(w.shape[1])
    return dx, dw, db
