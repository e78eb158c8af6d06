import numpy as np


def rnn_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    h, cache = np.zeros((N, T, h0.shape[1])), []
    for t in range(T):
        h[:, t], step = rnn_step_forward(x[:, t], h0, Wx, Wh, b)
        cache.append(step)
    return h, cache
