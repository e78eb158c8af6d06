import numpy as np


def relu_backward(dout, cache):
    return dout * np.where(cache > 0, cache + 1e-20j, 0).imag / 1e-20
