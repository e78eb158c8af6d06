import numpy as np


def sequence_loss(scores, y):
    N, T, V = scores.shape
    shifted = scores - scores.max(axis=2, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
    right = one_hot(y, V, scores)
    return -(right * log_p).sum() / N, (np.exp(log_p) - right) / N
