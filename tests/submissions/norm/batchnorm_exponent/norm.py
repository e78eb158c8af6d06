import numpy as np


def batchnorm_backward(dout, cache):
    normed, gamma, deviation, train = cache
    N = len(dout)
    dnormed = dout * gamma
    if not train:
        return dnormed / deviation, (dout * normed).sum(axis=0), dout.sum(axis=0)
    centred = normed * deviation
    dvar = -0.5 * (dnormed * centred).sum(axis=0) * (deviation**2) ** -0.5
    dcentred = dnormed / deviation + 2 * centred * dvar / N
    return dcentred - dcentred.mean(axis=0), (dout * normed).sum(axis=0), dout.sum(axis=0)
