import torch


def rnn_backward(dh, cache):
    N, T, H = dh.shape
    dprev, steps = dh[:, T - 1], []
    for t in reversed(range(T)):
        dx, dprev, dWx, dWh, db = rnn_step_backward(dprev, cache[t])
        steps.append((dx, dWx, dWh, db))
    steps.reverse()
    return torch.stack([s[0] for s in steps], dim=1), dprev, *(sum(s[k] for s in steps) for k in (1, 2, 3))
