import numpy as np


def train(params, x, y, lr, eps, batch, steps):
    zeros = tree_map(np.zeros_like, params)
    state = {"m": zeros, "v": zeros, "t": 0}
    losses = []

    whole = len(x) // batch
    for step in range(steps):
        rows = np.arange(batch) + step % whole * batch
        loss, grads = network(params, x[rows], y[rows])
        params, state = adam_step(params, grads, state, lr, 0.9, 0.999, eps)
        losses.append(float(loss))
    return params, losses
