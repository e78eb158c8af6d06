import numpy as np


def log_softmax_backward(dout, cache):
    p = np.exp(cache)
    return p * (dout - np.sum(dout * p, axis=1, keepdims=True))
