import numpy as np


def temporal_softmax_loss(scores, y, mask):
    V = scores.shape[2]
    shifted = scores * mask[:, :, None]
    shifted = shifted - shifted.max(axis=2, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
    right = one_hot(y, V, scores)
    return -(right * log_p).sum() / mask.sum(), (np.exp(log_p) - right) / mask.sum() * mask[:, :, None]
