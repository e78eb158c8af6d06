import numpy as np


def rmsprop_step(params, grads, state, lr, beta, eps):
    v = tree_map(lambda v, g: beta * v + (1 - beta) * g**2, state["v"], grads)

    return tree_map(lambda p, g, v: p - lr * g / (np.sqrt(v) + 1e-8), params, grads, v), {"v": v}
