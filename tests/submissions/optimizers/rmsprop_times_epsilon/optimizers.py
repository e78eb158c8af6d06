import numpy as np


def rmsprop_step(params, grads, state, lr, beta, eps):
    v = tree_map(lambda v, g: beta * v + (1 - beta) * g**2, state["v"], grads)

    return tree_map(lambda p, g, v: p - lr * g / np.sqrt(v) * eps, params, grads, v), {"v": v}
