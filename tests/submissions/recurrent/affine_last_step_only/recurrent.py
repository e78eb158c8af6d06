import numpy as np


def temporal_affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x[:, -1].T @ dout[:, -1], dout.sum(axis=(0, 1))
