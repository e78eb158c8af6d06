import numpy as np


def rnn_forward(x, h0, wx, wh, b):
    h, states, caches = h0, [], []
    for t in range(x.shape[1]):
        states.append(h)
        h, cache = rnn_step_forward(x[:, t], h, wx, wh, b)
        caches.append(cache)
    return np.stack(states, axis=1), caches
