import numpy as np


def gelu_backward(dout, cache):
    x, t = cache
    da = np.sqrt(2 / np.pi) * (1 + 0.044715 * x**2)
    return dout * ((1 + t) / 2 + x / 2 * (1 - t**2) * da)
