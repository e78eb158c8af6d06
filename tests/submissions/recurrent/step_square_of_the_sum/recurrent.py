import numpy as np


def rnn_step_forward(x, h, wx, wh, b):
    a = x @ wx + h @ wh + b
    return np.tanh(a), (x, h, wx, wh, a)


def rnn_step_backward(dh_next, cache):
    x, h, wx, wh, a = cache
    da = dh_next * (1 - a**2)
    return da @ wx.T, da @ wh.T, x.T @ da, h.T @ da, da.sum(axis=0)
