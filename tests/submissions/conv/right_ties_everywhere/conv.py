import numpy as np


def max_pool_backward(dout, cache):
    x, out, height, width, stride = cache
    dx = np.zeros_like(x)
    for p in range(dout.shape[2]):
        for q in range(dout.shape[3]):
            rows = slice(p * stride, p * stride + height)
            columns = slice(q * stride, q * stride + width)
            mask = x[:, :, rows, columns] == out[:, :, p : p + 1, q : q + 1]
            dx[:, :, rows, columns] += mask * dout[:, :, p : p + 1, q : q + 1]
    return dx
