import numpy as np


def rnn_backward(dh, cache):
    dx, total = [], 0
    for t in range(dh.shape[1] - 1, -1, -1):
        dx_t, carried, *grads = rnn_step_backward(dh[:, t], cache[t])
        if t:
            dh[:, t - 1] += carried
        dx.insert(0, dx_t)
        total = grads if total == 0 else [a + b for a, b in zip(total, grads)]
    return np.stack(dx, axis=1), carried, *total
