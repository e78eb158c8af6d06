import numpy as np


def gru_backward(dh, cache):
    N, T, H = dh.shape
    dx, carried = [], np.zeros((N, H))
    for t in reversed(range(T)):
        dx_t, carried, dwx, dwh, db = gru_step_backward(dh[:, t] + carried, cache[t])
        dx.insert(0, dx_t)
    return np.stack(dx, axis=1), carried, dwx, dwh, db
