import numpy as np


def embedding_backward(dout, cache):
    codes, w = cache
    dw = np.zeros_like(w)
    np.add.at(dw, codes, dout)
    counts = np.bincount(codes.ravel(), minlength=len(w))
    return dw / np.maximum(counts, 1)[:, None]
