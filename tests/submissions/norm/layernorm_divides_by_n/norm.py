import numpy as np


def layernorm_backward(dout, cache):
    normed, gamma, deviation = cache
    dnormed = dout * gamma
    mean, cross = dnormed.sum(axis=1, keepdims=True), (dnormed * normed).sum(axis=1, keepdims=True)
    return (dnormed - mean / len(dout) - normed * cross / len(dout)) / deviation, (dout * normed).sum(axis=0), dout.sum(axis=0)
