import numpy as np


def sgd_step(params, grads, lr):
    for p, g in zip(tree_leaves(params), tree_leaves(grads)):
        p -= lr * g
    return params


def momentum_step(params, grads, state, lr, mu):
    for p, g, v in zip(tree_leaves(params), tree_leaves(grads), tree_leaves(state["v"])):
        v *= mu
        v += g
        p -= lr * v
    return params, state


def adam_step(params, grads, state, lr, beta1, beta2, eps):
    state["t"] += 1
    t = state["t"]
    for p, g, m, v in zip(*(tree_leaves(tree) for tree in (params, grads, state["m"], state["v"]))):
        m += (1 - beta1) * (g - m)
        v += (1 - beta2) * (g * g - v)
        p -= lr * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + eps)
    return params, state


def adamw_step(params, grads, state, lr, beta1, beta2, eps, decay):
    for p in tree_leaves(params):
        p *= 1 - lr * decay
    return adam_step(params, grads, state, lr, beta1, beta2, eps)


def clip_by_norm(grads, max_norm):
    norm = np.sqrt(sum(np.vdot(g, g) for g in tree_leaves(grads)))
    if norm > max_norm:
        for g in tree_leaves(grads):
            g *= max_norm / norm
    return grads, norm


def train(params, x, y, lr, eps, batch, steps):
    params = tree_map(np.copy, params)
    state = {"m": tree_map(np.zeros_like, params), "v": tree_map(np.zeros_like, params), "t": 0}
    losses = []
    for step in range(steps):
        rows = np.arange(step * batch, (step + 1) * batch) % len(x)
        loss, grads = network(params, x[rows], y[rows])
        losses.append(float(loss))
        adam_step(params, grads, state, lr, 0.9, 0.999, eps)
    return params, losses
