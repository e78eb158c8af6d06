import numpy as np


def rnn_backward(dh, cache):
    N, T, H = dh.shape
    steps = [rnn_step_backward(dh[:, t], cache[t]) for t in range(T)]
    dx = np.stack([step[0] for step in steps], axis=1)
    return dx, steps[0][1], sum(s[2] for s in steps), sum(s[3] for s in steps), sum(s[4] for s in steps)
