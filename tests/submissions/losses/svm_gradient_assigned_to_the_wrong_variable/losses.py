import numpy as np


def svm_loss(params, x, y, reg):
    W, b = params["W"], params["b"]
    loss, dscores = hinge_loss(x @ W + b, y)
    loss += reg * np.sum(W * W)
    dW = x.T @ dscores
    dscores = dW + 2 * reg * W
    return loss, {"W": dW, "b": hinge_loss(x @ W + b, y)[1].sum(axis=0)}
