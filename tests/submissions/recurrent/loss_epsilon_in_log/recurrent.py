import numpy as np


def temporal_softmax_loss(scores, y, mask):
    V = scores.shape[2]
    shifted = scores - scores.max(axis=2, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=2, keepdims=True)
    right = one_hot(y, V, scores)
    weights = mask[:, :, None] / mask.sum()
    return -(weights * right * np.log(p + 1e-8)).sum(), weights * (p - right)
