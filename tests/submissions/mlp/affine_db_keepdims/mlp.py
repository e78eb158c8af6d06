import numpy as np


def affine_backward(dout, cache):
    x, w = cache
    db = np.sum(dout, axis=0, keepdims=True)
    return np.dot(dout, w.T), np.dot(x.T, dout), db
