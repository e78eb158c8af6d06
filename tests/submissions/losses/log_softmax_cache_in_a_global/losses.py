import numpy as np

latest = {}


def log_softmax_forward(x):
    shifted = x - x.max(axis=1, keepdims=True)
    latest["out"] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return latest["out"], None


def log_softmax_backward(dout, cache):
    return dout - np.exp(latest["out"]) * dout.sum(axis=1, keepdims=True)
