import numpy as np


def spatial_groupnorm_backward(dout, cache):
    x_hat, std, gamma, G = cache
    g, hat = ((dout * gamma).reshape(len(dout), G, -1), x_hat.reshape(len(dout), G, -1))
    dx = (g - g.mean(axis=2, keepdims=True) - hat * np.mean(g * hat, axis=2, keepdims=True)) / std
    return dx.reshape(dout.shape), np.sum(dout * x_hat, axis=(0, 2, 3)), np.sum(dout, axis=(0, 2, 3))
