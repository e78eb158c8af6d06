import numpy as np


def svm_loss(params, x, y, reg):
    W, b = params["W"], params["b"]
    loss, dscores = hinge_loss(x @ W + b, y)
    loss += reg * np.sum(W * W)
    return loss, {"W": x.T @ dscores + reg * W, "b": dscores.sum(axis=0)}
