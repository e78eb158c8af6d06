import numpy as np


def batchnorm_forward(x, gamma, beta, running, momentum, eps, train):
    if running is None:
        running = {"mean": np.zeros(x.shape[1]), "var": np.zeros(x.shape[1])}
    if train:
        mean, var = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
        running = {
            "mean": momentum * running["mean"] + (1 - momentum) * x.mean(axis=0),
            "var": momentum * running["var"] + (1 - momentum) * x.var(axis=0),
        }
    else:
        mean, var = running["mean"], running["var"]
    deviation = np.sqrt(var + eps)
    normed = (x - mean) / deviation
    return gamma * normed + beta, running, (normed, gamma, deviation, train)
