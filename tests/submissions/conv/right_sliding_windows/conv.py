import numpy as np


def windows(x, height, width, stride):
    views = np.lib.stride_tricks.sliding_window_view(x, (height, width), axis=(2, 3))
    return views[:, :, ::stride, ::stride]


def conv_forward(x, w, b, stride, pad):
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    out = np.einsum("ncpqij,fcij->nfpq", windows(padded, *w.shape[2:], stride), w) + b.reshape(1, -1, 1, 1)
    return out, (padded, w, stride, pad, x.shape)


def max_pool_forward(x, height, width, stride):
    out = windows(x, height, width, stride).max(axis=(4, 5))
    return out, (x, out, height, width, stride)


def avg_pool_forward(x, height, width, stride):
    return windows(x, height, width, stride).mean(axis=(4, 5)), (x.shape, height, width, stride)
