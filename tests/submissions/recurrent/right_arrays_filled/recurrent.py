import numpy as np


def rnn_forward(x, h0, wx, wh, b):
    N, T, D = x.shape
    h = np.zeros((N, T + 1, h0.shape[1]))
    h[:, -1] = h0
    for t in range(T):
        h[:, t] = np.tanh(x[:, t] @ wx + h[:, t - 1] @ wh + b)
    return h[:, :-1], {"x": x, "h": h, "wx": wx, "wh": wh}


def rnn_backward(dh, cache):
    x, h, wx, wh = cache["x"], cache["h"], cache["wx"], cache["wh"]
    dx, dwx, dwh, db = np.zeros_like(x), np.zeros_like(wx), np.zeros_like(wh), np.zeros(wh.shape[0])
    carried = 0
    for t in range(x.shape[1] - 1, -1, -1):
        da = (dh[:, t] + carried) * (1 - h[:, t] ** 2)
        dx[:, t] = da @ wx.T
        dwx += x[:, t].T @ da
        dwh += h[:, t - 1].T @ da
        db += da.sum(0)
        carried = da @ wh.T
    return dx, carried, dwx, dwh, db


def embedding_backward(dout, cache):
    codes, w = cache
    dw = np.zeros(w.shape)
    np.add.at(dw, codes, dout)
    return dw
