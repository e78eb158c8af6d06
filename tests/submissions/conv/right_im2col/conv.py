import numpy as np


def indices(shape, HH, WW, stride):
    N, C, H, W = shape
    OH, OW = (H - HH) // stride + 1, (W - WW) // stride + 1
    k = np.repeat(np.arange(C), HH * WW)[:, None]
    i = np.tile(np.repeat(np.arange(HH), WW), C)[:, None] + stride * np.repeat(np.arange(OH), OW)[None, :]
    j = np.tile(np.arange(WW), HH * C)[:, None] + stride * np.tile(np.arange(OW), OH)[None, :]
    return k, i, j, OH, OW


def conv_forward(x, w, b, stride, pad):
    F, _, HH, WW = w.shape
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    k, i, j, OH, OW = indices(padded.shape, HH, WW, stride)
    columns = padded[:, k, i, j].transpose(1, 2, 0).reshape(w[0].size, -1)
    out = (w.reshape(F, -1) @ columns + b[:, None]).reshape(F, OH, OW, x.shape[0]).transpose(3, 0, 1, 2)
    return out, {"columns": columns, "w": w, "shape": padded.shape, "stride": stride, "pad": pad}


def conv_backward(dout, cache):
    w, shape, pad = cache["w"], cache["shape"], cache["pad"]
    F, _, HH, WW = w.shape
    k, i, j, _, _ = indices(shape, HH, WW, cache["stride"])
    flat = dout.transpose(1, 2, 3, 0).reshape(F, -1)
    dcolumns = (w.reshape(F, -1).T @ flat).reshape(w[0].size, -1, shape[0]).transpose(2, 0, 1)
    dpadded = np.zeros(shape)
    np.add.at(dpadded, (slice(None), k, i, j), dcolumns)
    dx = dpadded[:, :, pad : shape[2] - pad, pad : shape[3] - pad]
    return dx, (flat @ cache["columns"].T).reshape(w.shape), dout.sum(axis=(0, 2, 3))
