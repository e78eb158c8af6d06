import numpy as np


def train(params, x, y, lr, limit, batch, steps):
    losses = []
    for k in range(steps):
        rows = np.arange(k * batch, (k + 1) * batch) % len(x)
        scores, cache = text_forward(params, x[rows])
        loss, dscores = temporal_softmax_loss(scores, y[rows], np.ones(y[rows].shape))
        grads = text_backward(dscores, cache)
        params = {name: params[name] - lr * grads[name] for name in params}
        losses.append(float(loss))
    return params, losses
