import numpy as np


def groupnorm_backward(dout, cache):
    normed, gamma, deviation = cache
    dnormed = (dout * gamma).reshape(normed.shape)
    mean, cross = dnormed.mean(axis=1, keepdims=True), (dnormed * normed).mean(axis=1, keepdims=True)
    dx = ((dnormed - mean - normed * cross) / deviation).reshape(dout.shape)
    return dx, (
        (dout * normed.reshape(dout.shape)).sum(axis=(0, 2, 3), keepdims=True)
    ), dout.sum(axis=(0, 2, 3), keepdims=True)
