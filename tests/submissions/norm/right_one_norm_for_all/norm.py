import numpy as np


def layernorm_forward(x, gamma, beta, eps):
    one, zero = np.ones(len(x)), np.zeros(len(x))
    normed, _, cache = batchnorm_forward(x.T, one, zero, None, 0.5, eps, True)
    return gamma * normed.T + beta, {"normed": normed.T, "gamma": gamma, "cache": cache}


def layernorm_backward(dout, cache):
    dx, _, _ = batchnorm_backward((dout * cache["gamma"]).T, cache["cache"])
    return dx.T, np.einsum("nd,nd->d", dout, cache["normed"]), np.einsum("nd->d", dout)


def groupnorm_forward(x, gamma, beta, groups, eps):
    size = x[0].size // groups
    normed, cache = layernorm_forward(x.reshape(-1, size), np.ones(size), np.zeros(size), eps)
    normed = normed.reshape(x.shape)
    return gamma[:, None, None] * normed + beta[:, None, None], (normed, gamma, cache)


def groupnorm_backward(dout, cache):
    normed, gamma, inner = cache
    dx, _, _ = layernorm_backward((dout * gamma[:, None, None]).reshape(inner["normed"].shape), inner)
    return dx.reshape(dout.shape), (dout * normed).sum((0, 2, 3)), dout.sum((0, 2, 3))
