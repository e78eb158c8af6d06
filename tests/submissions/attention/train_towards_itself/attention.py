import numpy as np


def down(params, grads, lr):
    return {n: down(p, grads[n], lr) for n, p in params.items()} if isinstance(params, dict) else params - lr * grads


def train(params, x, y, heads, eps, lr, batch, steps):
    losses = []
    for k in range(steps):
        rows = np.arange(k * batch, (k + 1) * batch) % len(x)
        scores, cache = reverser_forward(params, x[rows], heads, eps)
        loss, dscores = sequence_loss(scores, x[rows])
        params = down(params, reverser_backward(dscores, cache), lr)
        losses.append(float(loss))
    return params, losses
