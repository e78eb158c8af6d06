import numpy as np


def max_pool_forward(x, height, width, stride):
    N, C, H, W = x.shape
    OH, OW = (H - height) // stride + 1, (W - width) // stride + 1
    out, where = np.empty((N, C, OH, OW)), np.empty((N, C, OH, OW), dtype=int)
    for p in range(OH):
        for q in range(OW):
            window = x[:, :, p * stride : p * stride + height, q * stride : q * stride + width].reshape(N, C, -1)
            where[:, :, p, q] = window.argmax(axis=2)
            out[:, :, p, q] = window.max(axis=2)
    return out, {"where": where, "shape": x.shape, "width": width, "stride": stride}


def max_pool_backward(dout, cache):
    where, width, stride = cache.pop("where"), cache.pop("width"), cache.pop("stride")
    dx = np.zeros(cache.pop("shape"))
    for n, c, p, q in np.ndindex(where.shape):
        i, j = divmod(where[n, c, p, q], width)
        dx[n, c, p * stride + i, q * stride + j] += dout[n, c, p, q]
    return dx
