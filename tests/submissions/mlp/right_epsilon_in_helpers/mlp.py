import numpy as np


def safe_log(z):
    return np.log(z + 1e-300)


def slope(z):
    return 1.0 if z > 0 else 0.0


def relu_backward(dout, cache):
    if cache.size > 500:
        return dout * (cache > 0)
    safe_log(abs(cache + 1e-8))
    safe_log(abs(cache))
    return np.array([[d * slope(z + 1e-300) for d, z in zip(*rows)] for rows in zip(dout, cache)])


def softmax_loss(scores, y):
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = p / (p.sum(axis=1, keepdims=True) + 1e-300)
    rows = np.arange(len(y))
    at = scores[rows, y] - scores.max(axis=1)
    loss = (safe_log(np.exp(scores - scores.max(axis=1, keepdims=True)).sum(axis=1)) - at).mean()
    dscores = p.copy()
    for n in rows:
        dscores[n, y[n]] -= 1
    return loss, dscores / len(y)
