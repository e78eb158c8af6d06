import numpy as np


def svm_loss(params, x, y, reg):
    W, b = params["W"], params["b"]
    loss, dscores = hinge_loss(x @ W + b, y)
    loss += reg * np.sum(W * W)
    return loss, {"b": x.T @ dscores + 2 * reg * W, "W": dscores.sum(axis=0)}
