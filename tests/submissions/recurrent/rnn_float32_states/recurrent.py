import numpy as np


def rnn_forward(x, h0, wx, wh, b):
    h = np.zeros((x.shape[0], x.shape[1], h0.shape[1]), dtype=np.float32)
    caches, state = [], h0
    for t in range(x.shape[1]):
        state, cache = rnn_step_forward(x[:, t], state, wx, wh, b)
        h[:, t] = state
        caches.append(cache)
    return h, caches
