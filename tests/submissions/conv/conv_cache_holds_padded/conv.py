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
            out[:, :, p, q] = np.tensordot(window, w, axes=([1, 2, 3], [1, 2, 3])) + b
    return out, (padded, w, stride, pad)


def conv_backward(dout, cache):
    x, w, stride, pad = cache
    N, C, H, W = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    F, _, HH, WW = w.shape
    _, _, OH, OW = dout.shape
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    for p in range(OH):
        for q in range(OW):
            rows = slice(p * stride, p * stride + HH)
            columns = slice(q * stride, q * stride + WW)
            here = dout[:, :, p, q]
            dw += np.tensordot(here, padded[:, :, rows, columns], axes=(0, 0))
            dpadded[:, :, rows, columns] += np.tensordot(here, w, axes=(1, 0))
    return dpadded[:, :, pad : pad + H, pad : pad + W], dw, dout.sum(axis=(0, 2, 3))
