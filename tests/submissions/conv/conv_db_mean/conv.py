import numpy as np


def conv_backward(dout, cache):
    padded, w, stride, pad, (N, C, H, W) = cache
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
    return dpadded[:, :, pad : pad + H, pad : pad + W], dw, dout.mean(axis=(0, 2, 3))
