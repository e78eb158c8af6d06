import numpy as np


def hinge_loss(scores, y):
    N = len(y)
    margins = np.maximum(0, scores - scores[np.arange(N), y][:, None] + 1)
    loss = margins.sum() / N
    d = (margins > 0) * 1.0
    d[np.arange(N), y] -= d.sum(axis=1)
    return loss, d / N
