import numpy as np


def layer_norm_backward(dout, cache):
    xhat, gamma, std = cache
    dxhat = dout * gamma
    dgamma, dbeta = (dout * xhat).sum(axis=(0, 1)), dout.sum(axis=(0, 1))
    dx = (dxhat - dxhat.mean(axis=-1, keepdims=True)) / std
    return dx, dgamma, dbeta
