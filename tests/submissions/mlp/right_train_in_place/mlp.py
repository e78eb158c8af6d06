import numpy as np


def train(params, x, y, lr, batch, steps):
    losses = []
    for k in range(steps):
        rows = np.arange(k * batch, (k + 1) * batch) % len(x)
        scores, cache = mlp_forward(params, x[rows])
        loss, dscores = softmax_loss(scores, y[rows])
        for name, gradient in mlp_backward(dscores, cache).items():
            params[name] -= lr * gradient
        losses.append(loss)
    return params, losses
