import numpy as np


def rnn_forward(x, h0, wx, wh, b):
    h, states, caches = h0, [], []
    for t in range(x.shape[0]):
        h, cache = rnn_step_forward(x[t], h, wx, wh, b)
        states.append(h)
        caches.append(cache)
    return np.stack(states), caches
