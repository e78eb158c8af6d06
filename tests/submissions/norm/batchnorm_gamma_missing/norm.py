import numpy as np


def batchnorm_backward(dout, cache):
    normed, gamma, deviation, train = cache
    N = len(dout)
    dnormed = dout
    if train:
        dx = (dnormed - dnormed.mean(axis=0) - normed * (dnormed * normed).mean(axis=0)) / deviation
    else:
        dx = dnormed / deviation
    return dx, (dout * normed).sum(axis=0), dout.sum(axis=0)
