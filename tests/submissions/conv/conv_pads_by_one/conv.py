import numpy as np


def conv_forward(x, w, b, stride, pad):
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    OH = (H + 2 * pad - HH) // stride + 1
    OW = (W + 2 * pad - WW) // stride + 1
    out = np.zeros((N, F, OH, OW))
    for p in range(OH):
        for q in range(OW):
            window = padded[:, :, p * stride : p * stride + HH, q * stride : q * stride + WW]
            out[:, :, p, q] = np.tensordot(window, w, axes=([1, 2, 3], [1, 2, 3])) + b
    return out, (padded, w, stride, pad, x.shape)
