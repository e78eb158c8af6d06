import numpy as np


def layernorm_backward(dout, cache):
    normed, gamma, deviation = cache
    dnormed = dout * gamma
    mean, cross = dnormed.mean(axis=0), (dnormed * normed).mean(axis=0)
    return (dnormed - mean - normed * cross) / deviation, (dout * normed).sum(axis=0), dout.sum(axis=0)
