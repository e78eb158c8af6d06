import numpy as np


def lstm_step_forward(x, h, c, wx, wh, b):
    a = x @ wx + h @ wh + b
    i, f, g, o = np.array_split(a, 4, axis=0)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c_next = f * c + i * g
    s = np.tanh(c_next)
    return o * s, c_next, (x, h, c, wx, wh, i, f, g, o, s)
