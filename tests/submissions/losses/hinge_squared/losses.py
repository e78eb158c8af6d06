import numpy as np


def hinge_loss(scores, y):
    N = len(y)
    rows = np.arange(N)
    margins = np.maximum(0, scores - scores[rows, y][:, None] + 1)
    margins[rows, y] = 0
    d = 2 * margins
    d[rows, y] -= d.sum(axis=1)
    return (margins**2).sum() / N, d / N
