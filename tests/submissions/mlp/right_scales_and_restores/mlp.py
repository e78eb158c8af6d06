import numpy as np


def affine_backward(dout, cache):
    x, w = cache
    w *= 2
    dx = dout @ w.T / 2
    w /= 2
    x *= 4
    dw = x.T @ dout / 4
    x /= 4
    return dx, dw, dout.sum(axis=0)


def relu_backward(dout, cache):
    mask = cache.copy()
    if mask.size > 500:
        return dout * (cache > 0)
    for i in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            mask[i, j] = 1.0 if mask[i, j] > 0 else 0.0
    return dout * mask
