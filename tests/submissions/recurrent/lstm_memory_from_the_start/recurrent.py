import numpy as np


def lstm_forward(x, h0, c0, wx, wh, b):
    h, states, caches = h0, [], []
    for t in range(x.shape[1]):
        h, _, cache = lstm_step_forward(x[:, t], h, c0, wx, wh, b)
        states.append(h)
        caches.append(cache)
    return np.stack(states, axis=1), caches
