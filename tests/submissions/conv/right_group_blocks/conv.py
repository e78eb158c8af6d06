import numpy as np


def grouped_conv_forward(x, w, b, stride, pad, groups):
    F, K, HH, WW = w.shape
    wide = np.zeros((F, x.shape[1], HH, WW))
    for f in range(F):
        first = f * groups // F * K
        wide[f, first : first + K] = w[f]
    out, cache = conv_forward(x, wide, b, stride, pad)
    return out, (cache, w.shape, groups)


def grouped_conv_backward(dout, cache):
    own, (F, K, HH, WW), groups = cache
    dx, wide, db = conv_backward(dout, own)
    dw = np.stack([wide[f, f * groups // F * K : (f * groups // F + 1) * K] for f in range(F)])
    return dx, dw, db
