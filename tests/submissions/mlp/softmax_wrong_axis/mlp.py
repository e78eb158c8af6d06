import numpy as np


def softmax_loss(scores, y):
    N = scores.shape[0]
    p = np.exp(scores - scores.max(axis=0))
    p /= p.sum(axis=0)
    loss = -np.mean(np.log(p[np.arange(N), y]))
    dscores = p.copy()
    dscores[np.arange(N), y] -= 1
    return loss, dscores / N
