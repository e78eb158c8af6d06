import numpy as np


def causal_mask(x):
    return np.tril(np.ones((x.shape[1], x.shape[1])), k=-1)
