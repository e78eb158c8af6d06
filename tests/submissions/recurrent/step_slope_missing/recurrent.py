import numpy as np


def rnn_step_backward(dh_next, cache):
    x, h, wx, wh, h_next = cache
    return dh_next @ wx.T, dh_next @ wh.T, x.T @ dh_next, h.T @ dh_next, dh_next.sum(axis=0)
