import numpy as np


def cross_entropy_loss(scores, y, smoothing, ignore):
    N, C = scores.shape

    logp, _ = log_softmax_forward(scores)
    keep = y != ignore
    V = max(keep.sum(), 1)
    q = one_hot(y, C, scores)
    loss = -np.sum(keep[:, None] * q * logp) / V
    return loss, keep[:, None] * (np.exp(logp) - q) / V
