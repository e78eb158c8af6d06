import numpy as np


def temporal_softmax_loss(scores, y, mask):
    V = scores.shape[2]
    p = np.exp(scores) / np.exp(scores).sum(axis=2, keepdims=True)
    right = one_hot(y, V, scores)
    weights = mask[:, :, None] / mask.sum()
    return -(weights * right * np.log(p)).sum(), weights * (p - right)
