import numpy as np


def svm_loss(params, x, y, reg):
    W, b = params["W"], params["b"]
    N = len(x)
    loss, dscores = hinge_loss(x @ W + b, y)
    loss += reg * np.sum(W * W) / N
    return loss, {"W": x.T @ dscores + 2 * reg * W / N, "b": dscores.sum(axis=0)}
