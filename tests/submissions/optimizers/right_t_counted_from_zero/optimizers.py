import numpy as np


def adam_step(params, grads, state, lr, beta1, beta2, eps):
    m = tree_map(lambda m, g: beta1 * m + (1 - beta1) * g, state["m"], grads)
    v = tree_map(lambda v, g: beta2 * v + (1 - beta2) * g**2, state["v"], grads)
    c1, c2 = 1 - beta1 ** (state["t"] + 1), 1 - beta2 ** (state["t"] + 1)
    params = tree_map(lambda p, m, v: p - lr * m / c1 / (np.sqrt(v / c2) + eps), params, m, v)
    state = {"t": np.array(state["t"] + 1.0), "v": v, "m": m}
    return params, state
