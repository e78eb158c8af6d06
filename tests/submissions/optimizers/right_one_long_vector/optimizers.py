import numpy as np


def flat(tree):
    return np.concatenate([leaf.ravel() for leaf in tree_leaves(tree)])


def unflat(vector, like):
    start = 0

    def cut(leaf):
        nonlocal start
        start += leaf.size
        return vector[start - leaf.size : start].reshape(leaf.shape)

    return tree_map(cut, like)


def nesterov_step(params, grads, state, lr, mu):
    g = flat(grads)
    v = mu * flat(state["v"]) + g
    return unflat(flat(params) - lr * (g + mu * v), params), {"v": unflat(v, params)}


def rmsprop_step(params, grads, state, lr, beta, eps):
    g = flat(grads)
    v = beta * flat(state["v"]) + (1 - beta) * g * g
    return unflat(flat(params) - lr * g / (v**0.5 + eps), params), {"v": unflat(v, params)}


def clip_by_norm(grads, max_norm):
    norm = float(np.linalg.norm(flat(grads)))
    return unflat(flat(grads) * min(1.0, max_norm / max(norm, max_norm)), grads), norm
