import numpy as np


def mlp_forward(params, x):
    z = x @ params["W1"] + params["b1"]
    a = np.maximum(z, 0)
    return a @ params["W2"] + params["b2"], (x, z, a, params)


def mlp_backward(dscores, cache):
    x, z, a, params = cache
    grads = {}
    grads["b2"] = dscores.sum(0)
    grads["W2"] = a.T.dot(dscores)
    dz = dscores.dot(params["W2"].T) * (z > 0)
    grads["b1"] = dz.sum(0)
    grads["W1"] = x.T.dot(dz)
    return grads
