import numpy as np


def batchnorm_forward(x, gamma, beta, running, momentum, eps, train):
    if running is None:
        running = {"mean": np.zeros(x.shape[1]), "var": np.zeros(x.shape[1])}
    if train:
        mean, var = x.mean(axis=0), x.var(axis=0)
        running = {
            "mean": momentum * running["mean"] + (1 - momentum) * mean,
            "var": momentum * running["var"] + (1 - momentum) * var,
        }
    else:
        mean, var = running["mean"], running["var"]
    return gamma * (x - mean) / np.sqrt(var + eps) + beta, running, (x - mean, gamma, var, eps, train)


def batchnorm_backward(dout, cache):
    centred, gamma, var, eps, train = cache
    N = len(dout)
    dnormed, deviation = dout * gamma, np.sqrt(var + eps)
    dx = dnormed / deviation
    if train:
        dvar = -0.5 * (dnormed * centred).sum(axis=0) * var**-1.5
        dx = dx + 2 * centred * dvar / N
        dx = dx - dx.mean(axis=0)
    return dx, (dout * centred / deviation).sum(axis=0), dout.sum(axis=0)


def batchnorm_backward_simplified(dout, cache):
    return batchnorm_backward(dout, cache)
