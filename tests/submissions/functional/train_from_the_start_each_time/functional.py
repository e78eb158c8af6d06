import numpy as np


def train(params, x, y, rate, batch, steps):
    losses = []
    for step in range(steps):
        rows = (step * batch + np.arange(batch)) % len(x)
        losses.append(float(loss(params, x[rows], y[rows])))
        trained = update(params, x[rows], y[rows], rate)
    return trained, losses
