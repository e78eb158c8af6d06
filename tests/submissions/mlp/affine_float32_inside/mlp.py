import numpy as np


def affine_backward(dout, cache):
    x, w = cache
    x, w, dout = (a.astype(np.float32) for a in (x, w, dout))
    dx, dw, db = dout @ w.T, x.T @ dout, dout.sum(axis=0)
    return dx.astype(np.float64), dw.astype(np.float64), db.astype(np.float64)
