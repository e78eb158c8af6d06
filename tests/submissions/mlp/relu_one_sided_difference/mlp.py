import numpy as np


def relu_forward(x):
    return np.maximum(x, 0), x


def relu_backward(dout, cache):
    h = 2.0**-20
    up, _ = relu_forward(cache + h)
    out, _ = relu_forward(cache)
    return dout * (up - out) / h
