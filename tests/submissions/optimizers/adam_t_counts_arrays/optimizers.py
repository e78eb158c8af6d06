import numpy as np


def adam_step(params, grads, state, lr, beta1, beta2, eps):
    t = state["t"]
    m = tree_map(lambda m, g: beta1 * m + (1 - beta1) * g, state["m"], grads)
    v = tree_map(lambda v, g: beta2 * v + (1 - beta2) * g**2, state["v"], grads)

    def moved(p, m, v):
        nonlocal t
        t += 1
        return p - lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)

    return tree_map(moved, params, m, v), {"m": m, "v": v, "t": t}
