import numpy as np


def layer_norm_backward(dout, cache):
    xhat, gamma, std = cache
    dxhat = dout * gamma
    dgamma, dbeta = (dout * xhat).sum(axis=(0, 1)), dout.sum(axis=(0, 1))
    dx = (dxhat - dxhat.mean() - xhat * (dxhat * xhat).mean()) / std
    return dx, dgamma, dbeta
