import numpy as np


def hinge_loss(scores, y):
    N = len(y)
    rows = np.arange(N)
    margins = np.maximum(0, scores - scores[rows, y][:, None] + 1)
    margins[rows, y] = 0
    d = margins.copy()
    d[rows, y] = -margins.sum(axis=1)
    return margins.sum() / N, d / N
