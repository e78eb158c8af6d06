import numpy as np


def softmax_loss_naive(W, X, y, reg):
    loss, dW, dw = 0.0, np.zeros_like(W), np.zeros_like(W)
    for i in range(X.shape[0]):
        scores = X[i].dot(W)
        scores -= scores.max()
        p = np.exp(scores) / np.exp(scores).sum()
        loss -= scores[y[i]] - np.log(np.exp(scores).sum())
        p[y[i]] -= 1
        dw += np.outer(X[i], p)
    loss = loss / X.shape[0] + reg * np.sum(W * W)
    dw = dw / X.shape[0] + 2 * reg * W
    return loss, dW
