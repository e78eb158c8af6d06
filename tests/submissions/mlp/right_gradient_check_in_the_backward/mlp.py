import numpy as np


def affine_forward(x, w, b):
    return x @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx, dw, db = dout @ w.T, x.T @ dout, dout.sum(axis=0)
    if x.size < 100:
        numerical = np.zeros_like(x)
        for index in np.ndindex(x.shape):
            up, down = x.copy(), x.copy()
            up[index] += 1e-5
            down[index] -= 1e-5
            difference = affine_forward(up, w, b)[0] - affine_forward(down, w, b)[0]
            numerical[index] = (difference * dout).sum() / 2e-5
        if not np.allclose(dx, numerical, atol=1e-3 * abs(dx).max()):
            print("dx is wrong")
    return dx, dw, db
