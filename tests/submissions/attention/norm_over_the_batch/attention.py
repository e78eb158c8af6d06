import numpy as np


def layer_norm_forward(x, gamma, beta, eps):
    mean = x.mean(axis=0)
    std = np.sqrt(x.var(axis=0) + eps)
    xhat = (x - mean) / std
    return gamma * xhat + beta, (xhat, gamma, std)


def layer_norm_backward(dout, cache):
    xhat, gamma, std = cache
    dxhat = dout * gamma
    dgamma, dbeta = (dout * xhat).sum(axis=(0, 1)), dout.sum(axis=(0, 1))
    dx = (dxhat - dxhat.mean(axis=0) - xhat * (dxhat * xhat).mean(axis=0)) / std
    return dx, dgamma, dbeta
