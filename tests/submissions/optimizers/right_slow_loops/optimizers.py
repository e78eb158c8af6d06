import math

import numpy as np


def adam_step(params, grads, state, lr, beta1, beta2, eps):
    b1 = b2 = 1.0
    for _ in range(state["t"] + 1):
        b1, b2 = b1 * beta1, b2 * beta2

    def moments(old, g, beta, power):
        new = np.empty(g.shape)
        for i in np.ndindex(g.shape):
            new[i] = beta * float(old[i]) + (1 - beta) * float(g[i]) ** power
        return new

    m = tree_map(lambda m, g: moments(m, g, beta1, 1), state["m"], grads)
    v = tree_map(lambda v, g: moments(v, g, beta2, 2), state["v"], grads)

    def moved(p, m, v):
        new = np.empty(p.shape)
        for i in np.ndindex(p.shape):
            new[i] = float(p[i]) - lr * float(m[i]) / (1 - b1) / (math.sqrt(float(v[i]) / (1 - b2)) + eps)
        return new

    return tree_map(moved, params, m, v), {"m": m, "v": v, "t": state["t"] + 1}


def train(params, x, y, lr, eps, batch, steps):
    # Loops over 20,000 entries are too slow for a training: here at once.
    zeros = tree_map(np.zeros_like, params)
    m, v, losses = zeros, zeros, []
    for step in range(steps):
        rows = [(step * batch + i) % len(x) for i in range(batch)]
        loss, grads = network(params, x[rows], y[rows])
        m = tree_map(lambda m, g: 0.9 * m + 0.1 * g, m, grads)
        v = tree_map(lambda v, g: 0.999 * v + (1 - 0.999) * g * g, v, grads)
        c1, c2 = 1 - 0.9 ** (step + 1), 1 - 0.999 ** (step + 1)
        params = tree_map(lambda p, m, v: p - lr * (m / c1) / ((v / c2) ** 0.5 + eps), params, m, v)
        losses.append(loss)
    return params, losses
