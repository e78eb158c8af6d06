import numpy as np


def relu_forward(x):
    out = np.array(x)
    out[out < 0] = 0
    return out, out


def relu_backward(dout, cache):
    dx = np.array(dout)
    dx[cache <= 0] = 0
    return dx
