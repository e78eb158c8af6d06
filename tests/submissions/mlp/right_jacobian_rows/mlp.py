import numpy as np


def affine_backward(dout, cache):
    x, w = cache
    if x.size * w.size > 1000:
        return dout @ w.T, x.T @ dout, dout.sum(axis=0)
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            one = np.zeros_like(x)
            one[i, j] = 1
            dx[i, j] = (affine_forward(one, w, 0)[0] * dout).sum()
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            one = np.zeros_like(w)
            one[i, j] = 1
            dw[i, j] = (affine_forward(x, one, 0)[0] * dout).sum()
    return dx, dw, dout.sum(axis=0)
