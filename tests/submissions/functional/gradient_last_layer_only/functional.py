import numpy as np


def loss_gradient(params, x, y):
    inputs = [x]
    for w, b in params[:-1]:
        inputs.append(np.maximum(inputs[-1] @ w + b, 0))
    w, b = params[-1]
    scores = inputs[-1] @ w + b
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    p[np.arange(len(y)), y] -= 1
    u = p / len(y)
    grads = []
    for layer in range(len(params) - 1, -1, -1):
        u = u if layer == len(params) - 1 else 0 * u
        grads.insert(0, (inputs[layer].T @ u, u.sum(axis=0)))
        u = (u @ params[layer][0].T) * (inputs[layer] > 0)
    return grads
