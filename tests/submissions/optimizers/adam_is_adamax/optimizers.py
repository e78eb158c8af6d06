import numpy as np


def adam_step(params, grads, state, lr, beta1, beta2, eps):
    t = state["t"] + 1
    m = tree_map(lambda m, g: beta1 * m + (1 - beta1) * g, state["m"], grads)
    v = tree_map(lambda v, g: np.maximum(beta2 * v, np.abs(g)), state["v"], grads)
    return tree_map(lambda p, m, v: p - lr / (1 - beta1**t) * m / (v + eps), params, m, v), {"m": m, "v": v, "t": t}
