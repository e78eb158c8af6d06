import numpy as np


def temporal_softmax_loss(x, y, mask, verbose=False):
    N, T, V = x.shape
    flat, y, mask = x.reshape(N * T, V), y.reshape(N * T), mask.reshape(N * T)
    p = np.exp(flat - flat.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.sum(mask * np.log(p[np.arange(N * T), y])) / mask.sum()
    p[np.arange(N * T), y] -= 1
    return loss, (p * mask[:, None] / mask.sum()).reshape(N, T, V)
