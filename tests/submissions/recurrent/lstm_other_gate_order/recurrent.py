import numpy as np


def lstm_step_forward(x, h, c, wx, wh, b):
    H = h.shape[1]
    a = x @ wx + h @ wh + b
    i, f, o = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), sigmoid(a[:, 2 * H : 3 * H])
    g = np.tanh(a[:, 3 * H :])
    c_next = f * c + i * g
    s = np.tanh(c_next)
    return o * s, c_next, (x, h, c, wx, wh, i, f, g, o, s)


def lstm_step_backward(dh_next, dc_next, cache):
    x, h, c, wx, wh, i, f, g, o, s = cache
    dc = dc_next + dh_next * o * (1 - s**2)
    di, df, dg, do = dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2), dh_next * s * o * (1 - o)
    da = np.hstack([di, df, do, dg])
    return da @ wx.T, da @ wh.T, dc * f, x.T @ da, h.T @ da, da.sum(axis=0)
