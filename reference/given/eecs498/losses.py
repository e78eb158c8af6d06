"""a3_helper of eecs498: the two losses that the networks of the third assignment call."""

import torch


def svm_loss(x, y):
    """Hinge loss of scores, and its gradient."""
    rows = torch.arange(len(x))
    margins = (x - x[rows, y][:, None] + 1.0).clamp(min=0.0)
    margins[rows, y] = 0.0
    dx = (margins > 0).to(x.dtype)
    dx[rows, y] = -dx.sum(1)
    return margins.sum() / len(x), dx / len(x)


def softmax_loss(x, y):
    """Cross-entropy of scores, and its gradient."""
    rows = torch.arange(len(x))
    log_p = torch.log_softmax(x, dim=1)
    dx = log_p.exp()
    dx[rows, y] -= 1.0
    return -log_p[rows, y].mean(), dx / len(x)
