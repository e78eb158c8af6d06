import numpy as np


def affine_backward(dout, cache):
    x, w = cache
    db = np.zeros(w.shape[1])
    db += np.mean(dout)
    return dout @ w.T, x.T @ dout, db
