import numpy as np


def max_pool_forward(x, height, width, stride):
    N, C, H, W = x.shape
    OH = H // height
    OW = W // width
    out = np.zeros((N, C, OH, OW))
    for p in range(OH):
        for q in range(OW):
            window = x[:, :, p * stride : p * stride + height, q * stride : q * stride + width]
            out[:, :, p, q] = window.max(axis=(2, 3))
    return out, (x, out, height, width, stride)
