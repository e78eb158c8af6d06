import numpy as np


def mse_loss(pred, y_true, verbose=True):
    error = pred - y_true
    loss = (error**2).sum() / error.size
    if verbose:
        print("loss", loss, error.shape)
    return [loss, error * (2 / error.size)]


def l2_penalty(weights, reg):
    return np.array(reg * sum(np.linalg.norm(w) ** 2 for w in weights)), tuple(2 * reg * w for w in weights)


def svm_loss(params, x, y, reg):
    loss, dscores = hinge_loss(x @ params["W"] + params["b"], y)
    grads = {"b": dscores.sum(0)}
    grads["W"] = x.T @ dscores + 2 * reg * params["W"]
    return [float(loss + reg * (params["W"] ** 2).sum()), grads]
