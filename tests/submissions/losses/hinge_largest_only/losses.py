import numpy as np


def hinge_loss(scores, y):
    N = len(y)
    rows = np.arange(N)
    margins = np.maximum(0, scores - scores[rows, y][:, None] + 1)
    margins[rows, y] = 0
    worst = margins.argmax(axis=1)
    d = np.zeros_like(scores)
    d[rows, worst] = margins[rows, worst] > 0
    d[rows, y] -= margins[rows, worst] > 0
    return margins.max(axis=1).sum() / N, d / N
