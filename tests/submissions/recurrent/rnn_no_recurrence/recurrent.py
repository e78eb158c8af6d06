import numpy as np


def rnn_backward(dh, cache):
    N, T, H = dh.shape
    dx, total = [], [0, 0, 0]
    for t in reversed(range(T)):
        dx_t, dh0, *grads = rnn_step_backward(dh[:, t], cache[t])
        dx.insert(0, dx_t)
        total = [a + b for a, b in zip(total, grads)]
    return np.stack(dx, axis=1), dh0, *total
