import numpy as np


def cross_entropy_loss(scores, y, smoothing, ignore):
    keep = (y != ignore)[:, None]
    V = max(np.sum(keep), 1)
    q = one_hot(y, scores.shape[1], scores)
    q *= 1 - smoothing
    q += smoothing / scores.shape[1]
    scores -= scores.max(axis=1, keepdims=True)
    scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
    loss = -np.sum(keep * q * scores) / V
    np.exp(scores, out=scores)
    scores -= q
    scores *= keep / V
    return loss, scores


def mse_loss(prediction, target):
    prediction -= target
    loss = np.vdot(prediction, prediction) / prediction.size
    prediction *= 2 / prediction.size
    return loss, prediction
