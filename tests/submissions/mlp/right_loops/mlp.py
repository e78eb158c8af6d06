import numpy as np


def affine_forward(x, w, b):
    out = np.zeros((x.shape[0], w.shape[1]))
    for n in range(x.shape[0]):
        for m in range(w.shape[1]):
            out[n, m] = x[n].dot(w[:, m]) + b[m]
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros_like(b)
    for n in range(x.shape[0]):
        dx[n] = w @ dout[n]
        dw += np.outer(x[n], dout[n])
        for m in range(w.shape[1]):
            db[m] += dout[n, m]
    return dx, dw, db


def relu_forward(x):
    out = x.copy()
    for n in range(x.shape[0]):
        for d in range(x.shape[1]):
            if x[n, d] < 0:
                out[n, d] = 0
    return out, x
