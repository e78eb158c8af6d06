import numpy as np


def train(params, x, y, lr, eps, batch, steps):
    losses = []
    for step in range(steps):
        rows = (np.arange(batch) + step * batch) % len(x)
        loss, grads = network(params, x[rows], y[rows])
        params = sgd_step(params, grads, lr)
        losses.append(float(loss))
    return params, losses
