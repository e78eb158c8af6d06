import numpy as np


def conv_forward(x, w, b, stride, pad):
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    xpad = np.zeros((N, C, H + 2 * pad, W + 2 * pad))
    xpad[:, :, pad : H + pad, pad : W + pad] = x
    OH, OW = 1 + (H + 2 * pad - HH) // stride, 1 + (W + 2 * pad - WW) // stride
    out = np.zeros((N, F, OH, OW))
    for n in range(N):
        for f in range(F):
            for p in range(OH):
                for q in range(OW):
                    window = xpad[n, :, p * stride : p * stride + HH, q * stride : q * stride + WW]
                    out[n, f, p, q] = np.sum(window * w[f]) + b[f]
    return out, (x, w, b, stride, pad)


def conv_backward(dout, cache):
    x, w, b, stride, pad = cache
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    xpad = np.pad(x, ((0,), (0,), (pad,), (pad,)), mode="constant")
    dxpad, dw, db = np.zeros_like(xpad), np.zeros_like(w), np.zeros_like(b)
    for n in range(N):
        for f in range(F):
            for p in range(dout.shape[2]):
                for q in range(dout.shape[3]):
                    rows, columns = slice(p * stride, p * stride + HH), slice(q * stride, q * stride + WW)
                    dw[f] += xpad[n, :, rows, columns] * dout[n, f, p, q]
                    dxpad[n, :, rows, columns] += w[f] * dout[n, f, p, q]
                    db[f] += dout[n, f, p, q]
    return [dxpad[:, :, pad : pad + H, pad : pad + W], dw, db]
