import numpy as np


def max_pool_backward_naive(dout, cache):
    x, pool_param = cache
    height, width, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    dx = np.zeros_like(x)
    N, C, H, W = dout.shape
    for n in range(N):
        for c in range(C):
            for i in range(H):
                for j in range(W):
                    h, v = i * stride, j * stride
                    window = x[n, c, h : h + height, v : v + width]
                    a, b = divmod(np.argmax(window), height)
                    if h + a < x.shape[2] and v + b < x.shape[3]:
                        dx[n, c, h + a, v + b] += dout[n, c, i, j]
    return dx
