import numpy as np


def lstm_backward(dh, cache):
    N, T, H = dh.shape
    dx, total, carried = [], [0, 0, 0], np.zeros((N, H))
    for t in reversed(range(T)):
        dx_t, carried, dc, *grads = lstm_step_backward(dh[:, t] + carried, np.zeros((N, H)), cache[t])
        dx.insert(0, dx_t)
        total = [a + b for a, b in zip(total, grads)]
    return np.stack(dx, axis=1), carried, dc, *total
