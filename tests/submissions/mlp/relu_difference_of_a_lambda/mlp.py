import numpy as np


def relu_backward(dout, cache):
    relu = lambda z: np.maximum(z, 0)
    h = 1e-5
    return dout * (relu(cache + h) - relu(cache - h)) / (2 * h)
