import numpy as np


def softmax_loss(scores, y):
    N = scores.shape[0]
    p = np.exp(scores)
    p = p / p.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(N), y]))
    dscores = p.copy()
    dscores[np.arange(N), y] -= 1
    return loss, dscores / N
