import numpy as np


def log_softmax_forward(x):
    out = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
    return out, out
