import numpy as np


def cross_entropy_loss(scores, y, smoothing, ignore):
    d = np.zeros_like(scores)
    rows = np.flatnonzero(y != ignore)
    if len(rows) == 0:
        return 0, d
    s, t = scores[rows], y[rows]
    C = s.shape[1]
    s = s - s.max(axis=1, keepdims=True)
    logp = s - np.log(np.exp(s).sum(axis=1, keepdims=True))
    right = logp[np.arange(len(t)), t]
    loss = -np.mean((1 - smoothing) * right + smoothing * logp.mean(axis=1))
    p = np.exp(logp) - smoothing / C
    p[np.arange(len(t)), t] -= 1 - smoothing
    d[rows] = p / len(t)
    return loss, d
