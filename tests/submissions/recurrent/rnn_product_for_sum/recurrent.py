import numpy as np


def rnn_backward(dh, cache):
    N, T, H = dh.shape
    dx, total, carried = [], [0, 0, 0], np.ones((N, H))
    for t in reversed(range(T)):
        dx_t, carried, *grads = rnn_step_backward(dh[:, t] * carried, cache[t])
        dx.insert(0, dx_t)
        total = [a + b for a, b in zip(total, grads)]
    return np.stack(dx, axis=1), carried, *total
