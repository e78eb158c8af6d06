import numpy as np


def temporal_softmax_loss(scores, y, mask):
    V = scores.shape[2]
    shifted = scores - scores.max(axis=2, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=2, keepdims=True))
    right = one_hot(y, V, scores)
    loss = -(mask[:, :, None] * right * log_p).sum() / mask.sum()
    return loss, (np.exp(log_p) - right) / mask.sum()
