import numpy as np


def lstm_step_backward(dh_next, dc_next, cache):
    x, h, c, wx, wh, i, f, g, o, s = cache
    dc = dh_next * o * (1 - s**2)
    di, df, dg, do = dc * g * i * (1 - i), dc * c * f * (1 - f), dc * i * (1 - g**2), dh_next * s * o * (1 - o)
    da = np.hstack([di, df, dg, do])
    return da @ wx.T, da @ wh.T, dc * f, x.T @ da, h.T @ da, da.sum(axis=0)
