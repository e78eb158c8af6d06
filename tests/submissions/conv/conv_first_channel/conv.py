import numpy as np


def conv_forward(x, w, b, stride, pad):
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    OH = (H + 2 * pad - HH) // stride + 1
    OW = (W + 2 * pad - WW) // stride + 1
    out = np.zeros((N, F, OH, OW))
    for p in range(OH):
        for q in range(OW):
            window = padded[:, :, p * stride : p * stride + HH, q * stride : q * stride + WW]
            out[:, :, p, q] = np.tensordot(window[:, 0], w[:, 0], axes=([1, 2], [1, 2])) + b
    return out, (padded, w, stride, pad, x.shape)
