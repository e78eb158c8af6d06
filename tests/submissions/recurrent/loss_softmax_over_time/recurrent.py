import numpy as np


def temporal_softmax_loss(scores, y, mask):
    V = scores.shape[2]
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    right = one_hot(y, V, scores)
    weights = mask[:, :, None] / mask.sum()
    return -(weights * right * log_p).sum(), weights * (np.exp(log_p) - right)
