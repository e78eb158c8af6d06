import numpy as np
from random import shuffle


def svm_loss_naive(W, X, y, reg):
    """Hinge loss, an example and a class at a time."""
    loss, dW = 0.0, np.zeros_like(W)
    for row, right in zip(X, y):
        scores = row @ W
        for other in range(W.shape[1]):
            margin = scores[other] - scores[right] + 1.0
            if other != right and margin > 0:
                loss += margin
                dW[:, other] += row
                dW[:, right] -= row
    return loss / len(X) + reg * np.sum(W * W), dW / len(X) + 2 * reg * W


def svm_loss_vectorized(W, X, y, reg):
    """The same without loops."""
    N = len(X)
    scores = X @ W
    margins = np.maximum(0.0, scores - scores[np.arange(N), y][:, None] + 1.0)
    margins[np.arange(N), y] = 0.0
    dscores = (margins > 0).astype(W.dtype)
    dscores[np.arange(N), y] = -dscores.sum(axis=1)
    return margins.sum() / N + reg * np.sum(W * W), X.T @ dscores / N + 2 * reg * W
