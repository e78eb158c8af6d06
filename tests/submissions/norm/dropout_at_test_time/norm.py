import numpy as np


def dropout_forward(x, p, train):
    mask = (np.random.rand(*x.shape) >= p) / (1 - p)
    return x * mask, mask
