import numpy as np


def relu_backward(dout, cache):
    x = cache
    return np.maximum(0, dout)
