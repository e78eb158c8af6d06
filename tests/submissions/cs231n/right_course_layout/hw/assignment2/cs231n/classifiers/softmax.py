from builtins import range
import numpy as np
from random import shuffle
from past.builtins import xrange
from ..layers import softmax_loss


def softmax_loss_naive(W, X, y, reg):
    """Cross-entropy, an example at a time."""
    loss, dW = 0.0, np.zeros_like(W)
    for row, right in zip(X, y):
        scores = row @ W
        scores = scores - scores.max()
        total = np.exp(scores).sum()
        loss += np.log(total) - scores[right]
        for c in xrange(W.shape[1]):
            dW[:, c] += (np.exp(scores[c]) / total - (c == right)) * row
    return loss / len(X) + reg * np.sum(W * W), dW / len(X) + 2 * reg * W


def softmax_loss_vectorized(W, X, y, reg):
    """The same without loops."""
    loss, dscores = softmax_loss(X @ W, y)
    return loss + reg * np.sum(W * W), X.T @ dscores + 2 * reg * W
