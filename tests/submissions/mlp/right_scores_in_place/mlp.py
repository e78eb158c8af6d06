import numpy as np


def softmax_loss(scores, y):
    n = np.arange(len(y))
    scores -= scores.max(axis=1, keepdims=True)
    scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
    loss = -scores[n, y].mean()
    np.exp(scores, out=scores)
    scores[n, y] -= 1
    scores /= len(y)
    return loss, scores
