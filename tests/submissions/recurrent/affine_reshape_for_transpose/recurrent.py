import numpy as np


def temporal_affine_backward(dout, cache):
    x, w = cache
    rows = dout.reshape(-1, dout.shape[2])
    return dout @ w.T, x.reshape(x.shape[2], -1) @ rows, rows.sum(axis=0)
