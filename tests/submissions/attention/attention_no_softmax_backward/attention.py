import numpy as np


def attention_backward(dout, cache):
    q, k, v, scale, p, weighed = cache
    da = dout @ np.swapaxes(v, -1, -2) * scale
    return da @ k, np.swapaxes(da, -1, -2) @ q, np.swapaxes(p, -1, -2) @ dout
