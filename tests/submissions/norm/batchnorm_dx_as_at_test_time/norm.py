import numpy as np


def batchnorm_backward(dout, cache):
    normed, gamma, deviation, train = cache
    N = len(dout)
    dnormed = dout * gamma
    dx = dnormed / deviation
    return dx, (dout * normed).sum(axis=0), dout.sum(axis=0)
