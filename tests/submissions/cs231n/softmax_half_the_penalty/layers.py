import numpy as np


def softmax_loss_vectorized(W, X, y, reg):
    N = X.shape[0]
    scores = X.dot(W)
    scores -= scores.max(axis=1, keepdims=True)
    p = np.exp(scores)
    total = p.sum(axis=1, keepdims=True)
    loss = np.mean(np.log(total[:, 0]) - scores[np.arange(N), y]) + 0.5 * reg * np.sum(W * W)
    p /= total
    p[np.arange(N), y] -= 1
    return loss, X.T.dot(p) / N + reg * W
