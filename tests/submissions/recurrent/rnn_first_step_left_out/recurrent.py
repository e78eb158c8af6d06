import numpy as np


def rnn_backward(dh, cache):
    N, T, H = dh.shape
    x, h, wx, wh, h_next = cache[0]
    dx = np.zeros((N, T, x.shape[1]))
    dwx, dwh, db, carried = np.zeros(wx.shape), np.zeros(wh.shape), np.zeros(H), np.zeros((N, H))
    for t in range(T - 1, 0, -1):
        dx[:, t], carried, a, b, c = rnn_step_backward(dh[:, t] + carried, cache[t])
        dwx, dwh, db = dwx + a, dwh + b, db + c
    return dx, carried, dwx, dwh, db
