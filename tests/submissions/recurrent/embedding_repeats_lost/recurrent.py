import numpy as np


def embedding_backward(dout, cache):
    codes, w = cache
    dw = np.zeros_like(w)
    dw[codes] += dout
    return dw
