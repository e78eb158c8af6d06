import numpy as np


def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    seen = np.tanh(next_c)
    dc = dnext_h * o * (1 - seen**2)
    gates = [dc * g * i * (1 - i), dc * prev_c * f * (1 - f), dnext_h * seen * o * (1 - o), dc * i * (1 - g**2)]
    da = np.hstack(gates)
    return da.dot(Wx.T), da.dot(Wh.T), dc * f, x.T.dot(da), prev_h.T.dot(da), da.sum(axis=0)
