import numpy as np


def temporal_softmax_loss(scores, y, mask):
    N, T, V = scores.shape
    shifted = scores - scores.max(axis=2, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
    right = one_hot(y, V, scores)
    weights = mask[:, :, None] / (N * T)
    return -(weights * right * log_p).sum(), weights * (np.exp(log_p) - right)
