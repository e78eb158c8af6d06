import numpy as np


def svm_loss(params, x, y, reg):
    loss, dscores = hinge_loss(x @ params["W"] + params["b"], y)
    loss += reg * np.sum(params["W"] ** 2)
    return loss, {"W": x.T @ dscores, "b": dscores.sum(axis=0)}
