import numpy as np


def layernorm_backward(dout, cache):
    normed, gamma, deviation = cache
    dnormed = dout * gamma
    mean, cross = dnormed.mean(axis=1, keepdims=True), (dnormed * normed).mean(axis=1, keepdims=True)
    return (dnormed - mean - normed * cross) / deviation, normed.sum(axis=0), dout.sum(axis=0)
