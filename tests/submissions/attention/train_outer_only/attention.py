import numpy as np


def train(params, x, y, heads, eps, lr, batch, steps):
    losses = []
    for k in range(steps):
        rows = np.arange(k * batch, (k + 1) * batch) % len(x)
        scores, cache = reverser_forward(params, x[rows], heads, eps)
        loss, dscores = sequence_loss(scores, y[rows])
        grads = reverser_backward(dscores, cache)
        params = {name: p if isinstance(p, dict) else p - lr * grads[name] for name, p in params.items()}
        losses.append(float(loss))
    return params, losses
