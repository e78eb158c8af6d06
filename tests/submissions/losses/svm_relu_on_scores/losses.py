import numpy as np


def svm_loss(params, x, y, reg):
    W, b = params["W"], params["b"]
    scores = np.maximum(0, x @ W + b)
    loss, dscores = hinge_loss(scores, y)
    dscores = dscores * (scores > 0)
    loss += reg * np.sum(W * W)
    return loss, {"W": x.T @ dscores + 2 * reg * W, "b": dscores.sum(axis=0)}
