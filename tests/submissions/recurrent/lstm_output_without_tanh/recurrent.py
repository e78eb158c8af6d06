import numpy as np


def lstm_step_forward(x, h, c, wx, wh, b):
    H = h.shape[1]
    a = x @ wx + h @ wh + b
    i, f, o = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), sigmoid(a[:, 3 * H :])
    g = np.tanh(a[:, 2 * H : 3 * H])
    c_next = f * c + i * g
    return o * c_next, c_next, (x, h, c, wx, wh, i, f, g, o, c_next)
