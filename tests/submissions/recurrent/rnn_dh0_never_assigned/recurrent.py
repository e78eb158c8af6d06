import numpy as np


def rnn_backward(dh, cache):
    N, T, H = dh.shape
    dx, dh0, total, carried = [], np.zeros((N, H)), [0, 0, 0], np.zeros((N, H))
    for t in reversed(range(T)):
        dx_t, carried, *grads = rnn_step_backward(dh[:, t] + carried, cache[t])
        dx.insert(0, dx_t)
        total = [a + b for a, b in zip(total, grads)]
    return np.stack(dx, axis=1), dh0, *total
