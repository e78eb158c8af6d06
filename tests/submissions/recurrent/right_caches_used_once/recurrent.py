import numpy as np


def lstm_backward(dh, cache):
    dh0, dc, dx, total = 0, np.zeros_like(dh[:, 0]), [], None
    for t in range(dh.shape[1] - 1, -1, -1):
        dx_t, dh0, dc, *grads = lstm_step_backward(dh[:, t] + dh0, dc, cache.pop())
        dx.insert(0, dx_t)
        total = grads if total is None else [a + b for a, b in zip(total, grads)]
    return [np.stack(dx, axis=1), dh0, dc] + total
