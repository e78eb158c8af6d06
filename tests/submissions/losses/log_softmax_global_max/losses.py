import numpy as np


def log_softmax_forward(x):
    shifted = x - np.max(x)
    out = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    return out, out
