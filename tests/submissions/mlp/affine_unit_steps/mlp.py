import numpy as np


def affine_forward(x, w, b):
    return x @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    out = x @ w + b
    dx, dw = np.zeros_like(x), np.zeros_like(w)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            moved = x.copy()
            moved[i, j] += 1
            dx[i, j] = ((moved @ w + b - out) * dout).sum()
    for i in range(w.shape[0]):
        for j in range(w.shape[1]):
            moved = w.copy()
            moved[i, j] += 1
            dw[i, j] = ((x @ moved + b - out) * dout).sum()
    return dx, dw, dout.sum(axis=0)


def mlp_backward(dscores, cache):
    (x, w1, b1), hidden, (active, w2, b2) = cache
    dhidden = (dscores @ w2.T) * (hidden > 0)
    return {"W1": x.T @ dhidden, "b1": dhidden.sum(0), "W2": active.T @ dscores, "b2": dscores.sum(0)}
