import numpy as np


def avg_pool_backward(dout, cache):
    shape, height, width, stride = cache
    dx = np.zeros(shape)
    for p in range(dout.shape[2]):
        for q in range(dout.shape[3]):
            rows = slice(p * stride, p * stride + height)
            columns = slice(q * stride, q * stride + width)
            dx[:, :, rows, columns] += dout[:, :, p : p + 1, q : q + 1] / height**2
    return dx
