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
    deviation = var + eps
    normed = (x - mean) / deviation
    return gamma * normed + beta, running, (normed, gamma, deviation, train)
