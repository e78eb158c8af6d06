import numpy as np


def rnn_backward(dh, cache):
    N, T, H = dh.shape
    dx, dprev = np.zeros((N, T, cache[0][0].shape[1])), np.zeros((N, H))
    for t in reversed(range(T)):
        dx[:, t], dprev, dWx, dWh, db = rnn_step_backward(dh[:, t] + dprev, cache[t])
    return dx, dprev, dWx, dWh, db
