from functools import reduce

import numpy as np


def predict(params, x):
    out = reduce(lambda a, pair: np.maximum(a @ pair[0] + pair[1], 0), params[:-1], x)
    return out @ params[-1][0] + params[-1][1]


def update(params, x, y, rate):
    return tuple([w - rate * dw, b - rate * db] for (w, b), (dw, db) in zip(params, loss_gradient(params, x, y)))


def train(params, x, y, rate, batch, steps):
    def step(state, k):
        now, losses = state
        rows = np.take(np.arange(len(x)), np.arange(k * batch, (k + 1) * batch), mode="wrap")
        return update(now, x[rows], y[rows], rate), [*losses, loss(now, x[rows], y[rows])]

    return reduce(step, range(steps), (params, []))
