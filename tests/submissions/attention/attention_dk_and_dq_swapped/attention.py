import numpy as np


def attention_backward(dout, cache):
    q, k, v, scale, p, weighed = cache
    da = softmax_backward(dout @ np.swapaxes(v, -1, -2), weighed) * scale
    return np.swapaxes(da, -1, -2) @ q, da @ k, np.swapaxes(p, -1, -2) @ dout
