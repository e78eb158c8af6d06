import numpy as np


def adam_step(params, grads, state, lr, beta1, beta2, eps):
    t = state["t"] + 1
    m = tree_map(lambda m, g: beta1 * m + (1 - beta1) * g, state["mt"], grads)
    v = tree_map(lambda v, g: beta2 * v + (1 - beta2) * g**2, state["vt"], grads)
    return tree_map(lambda p, m, v: p - lr * m / np.sqrt(v), params, m, v), {"mt": m, "vt": v, "t": t}
