import numpy as np


def softmax_loss(scores, y):
    N = len(y)
    top = scores.max(axis=1)
    total = top + np.log(np.sum(np.exp(scores - top[:, np.newaxis]), axis=1))
    loss = (total - scores[np.arange(N), y]).sum() / N
    dscores = np.exp(scores - total[:, np.newaxis]) / N
    dscores[np.arange(N), y] -= 1 / N
    return loss, dscores
