import numpy as np


def max_pool_backward(dout, cache):
    x, out, height, width, stride = cache
    dx = np.zeros_like(x)
    for n in range(dout.shape[0]):
        for c in range(dout.shape[1]):
            for p in range(dout.shape[2]):
                for q in range(dout.shape[3]):
                    window = x[n, c, p * stride : p * stride + height, q * stride : q * stride + width]
                    i, j = divmod(int(np.argmax(window)), height)
                    dx[n, c, p * stride + i, q * stride + j] += dout[n, c, p, q]
    return dx
