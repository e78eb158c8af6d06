import numpy as np


def max_pool_backward(dout, cache):
    x, out, height, width, stride = cache
    dx = np.zeros_like(x)
    for p in range(dout.shape[2]):
        for q in range(dout.shape[3]):
            rows = slice(p * stride, p * stride + height)
            columns = slice(q * stride, q * stride + width)
            dx[:, :, p * stride + height - 1, q * stride + width - 1] += dout[:, :, p, q]
    return dx
