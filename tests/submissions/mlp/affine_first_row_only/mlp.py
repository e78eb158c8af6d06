import numpy as np


def affine_backward(dout, cache):
    x, w = cache
    dw = np.outer(x[0], dout[0])
    return dout @ w.T, dw, dout.sum(axis=0)
