import numpy as np


def attention_backward(dout, cache):
    q, k, v, scale, p, weighed = cache
    da = softmax_backward(dout @ np.swapaxes(v, -1, -2), weighed) * scale
    return da @ k, np.swapaxes(da, -1, -2) @ q, p @ dout
