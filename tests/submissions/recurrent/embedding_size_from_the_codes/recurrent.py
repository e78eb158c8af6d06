import numpy as np


def embedding_backward(dout, cache):
    codes, w = cache
    dw = np.zeros((codes.max() + 1, w.shape[1]))
    np.add.at(dw, codes, dout)
    return dw
