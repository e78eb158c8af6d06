import numpy as np


def dropout_forward(x, p, train):
    if not train:
        return x, None
    mask = (np.random.randn(*x.shape) >= p) / (1 - p)
    return x * mask, mask
