import numpy as np


def cross_entropy_loss(scores, y, smoothing, ignore):
    N, C = scores.shape

    logp, _ = log_softmax_forward(scores)
    keep = (y != ignore)[:, None]
    q = (1 - smoothing) * one_hot(y, C, scores) + smoothing / C
    loss = -np.sum(keep * q * logp) / N
    return loss, keep * (np.exp(logp) - q) / N
