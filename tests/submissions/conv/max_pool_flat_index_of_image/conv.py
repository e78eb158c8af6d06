import numpy as np


def max_pool_backward(dout, cache):
    x, out, height, width, stride = cache
    dx = np.zeros_like(x)
    for n in range(dout.shape[0]):
        for c in range(dout.shape[1]):
            for p in range(dout.shape[2]):
                for q in range(dout.shape[3]):
                    rows, columns = slice(p * stride, p * stride + height), slice(q * stride, q * stride + width)
                    i, j = np.unravel_index(np.argmax(x[n, c, rows, columns]), x.shape[2:])
                    dx[n, c, p * stride + i, q * stride + j] += dout[n, c, p, q]
    return dx
