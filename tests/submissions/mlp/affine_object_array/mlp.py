import numpy as np


def affine_forward(x, w, b):
    out = np.empty((x.shape[0], w.shape[1]), dtype=object)
    for n in range(x.shape[0]):
        out[n] = x[n] @ w + b
    return out, (x, w)
