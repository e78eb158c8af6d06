import numpy as np


def adam_step(params, grads, state, lr, beta1, beta2, eps):
    t = state["t"] + 1
    m = tree_map(lambda m, g: beta1 * m + (1 - beta1) * g, state["m"], grads)
    v = tree_map(lambda v, g: beta2 * v + (1 - beta2) * g**2, state["v"], grads)

    params = tree_map(lambda p, g, v: p - lr * g / (np.sqrt(v / (1 - beta2**t)) + eps), params, grads, v)
    return params, {"m": m, "v": v, "t": t}
