import numpy as np


def rnn_backward(dh, cache):
    N, T, H = dh.shape
    dx, total, carried = [], [0, 0, 0], np.zeros((N, H))
    for t in range(T, 0, -1):
        dx_t, carried, *grads = rnn_step_backward(dh[:, t - 2] + carried, cache[t - 1])
        dx.insert(0, dx_t)
        total = [a + b for a, b in zip(total, grads)]
    return np.stack(dx, axis=1), carried, *total
