import numpy as np


def conv_backward(dout, cache):
    padded, w, stride, pad, (N, C, H, W) = cache
    F, _, HH, WW = w.shape
    _, _, OH, OW = dout.shape
    dw = np.zeros_like(w)
    for i in range(HH):
        for j in range(WW):
            window = padded[:, :, i : i + stride * OH : stride, j : j + stride * OW : stride]
            dw[:, :, i, j] = np.einsum("nfpq,ncpq->fc", dout, window)
    spread = np.zeros((N, F, padded.shape[2] + HH - 1, padded.shape[3] + WW - 1))
    spread[:, :, HH - 1 : HH - 1 + stride * OH : stride, WW - 1 : WW - 1 + stride * OW : stride] = dout
    dpadded = np.zeros_like(padded)
    for i in range(HH):
        for j in range(WW):
            part = spread[:, :, i : i + padded.shape[2], j : j + padded.shape[3]]
            dpadded += np.einsum("nfhv,fc->nchv", part, w[:, :, HH - 1 - i, WW - 1 - j])
    return dpadded[:, :, pad : pad + H, pad : pad + W], dw, dout.sum(axis=(0, 2, 3))
