import numpy as np


def adam_step(params, grads, state, lr, beta1, beta2, eps):
    t = state["t"] + 1
    m = tree_map(lambda m, g: 0.9 * m + 0.1 * g, state["m"], grads)
    v = tree_map(lambda v, g: 0.999 * v + (1 - 0.999) * g**2, state["v"], grads)
    params = tree_map(
        lambda p, m, v: p - lr * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + eps), params, m, v
    )
    return params, {"m": m, "v": v, "t": t}
