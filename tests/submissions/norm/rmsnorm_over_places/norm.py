import numpy as np


def rmsnorm_forward(x, gamma, eps):
    size = np.sqrt((x**2).mean(axis=(1, 2), keepdims=True) + eps)
    return gamma * x / size, (x, gamma, size)
