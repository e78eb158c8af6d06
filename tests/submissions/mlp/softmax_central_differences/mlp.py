import numpy as np


def cross_entropy(scores, y):
    z = scores - scores.real.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -log_p[np.arange(len(y)), y].mean()


def softmax_loss(scores, y):
    h = 1e-5
    dscores = np.zeros_like(scores)
    for index in np.ndindex(scores.shape):
        moved = scores.copy()
        moved[index] += h
        up = cross_entropy(moved, y)
        moved[index] -= 2 * h
        down = cross_entropy(moved, y)
        dscores[index] = (up - down) / (2 * h)
    return cross_entropy(scores, y), dscores


def train(params, x, y, lr, batch, steps):
    losses = []
    for step in range(steps):
        rows = (np.arange(batch) + step * batch) % len(x)
        scores, cache = mlp_forward(params, x[rows])
        z = scores - scores.max(axis=1, keepdims=True)
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        losses.append(float(cross_entropy(scores, y[rows])))
        p[np.arange(batch), y[rows]] -= 1
        params = sgd_step(params, mlp_backward(p / batch, cache), lr)
    return params, losses
