import numpy as np


def rmsnorm_backward(dout, cache):
    x, gamma, size = cache
    D = x.shape[-1]
    dnormed = dout * gamma
    dx = dnormed / size - x * (dnormed * x).sum(axis=-1, keepdims=True) / (D * size**2)
    return dx, (dout * x / size).sum(axis=(0, 1))
