import numpy as np


def rmsnorm_forward(x, gamma, eps):
    size = np.sqrt((x * x).mean(-1)[..., None] + eps)
    x /= size
    return x * gamma, [size, gamma, x.copy()]


def rmsnorm_backward(dout, cache):
    normed, gamma, size = cache.pop(), cache.pop(), cache.pop()
    dgamma = (dout * normed).reshape(-1, gamma.size).sum(axis=0)
    dout *= gamma
    dout -= normed * (dout * normed).mean(axis=-1, keepdims=True)
    dout /= size
    return dout, dgamma
