import numpy as np


def rnn_step_backward(dh_next, cache):
    x, h, wx, wh, h_next = cache
    da = dh_next * (1 - np.tanh(h_next) ** 2)
    return da @ wx.T, da @ wh.T, x.T @ da, h.T @ da, da.sum(axis=0)
