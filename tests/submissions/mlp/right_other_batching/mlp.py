import numpy as np


def train(params, x, y, lr, batch, steps):
    params = {name: value.copy() for name, value in params.items()}
    losses = np.zeros(steps)
    start = 0
    for k in range(steps):
        xs, ys = np.concatenate([x, x]), np.concatenate([y, y])
        scores, cache = mlp_forward(params, xs[start : start + batch])
        losses[k], dscores = softmax_loss(scores, ys[start : start + batch])
        params = sgd_step(params, mlp_backward(dscores, cache), lr)
        start = (start + batch) % len(x)
    return (params, list(losses))
