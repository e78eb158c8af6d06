import numpy as np


def adamw_step(params, grads, state, lr, beta1, beta2, eps, decay):
    same, new = adam_step(params, grads, state, lr, beta1, beta2, eps)
    m, v, t = new["m"], new["v"], new["t"]

    def moved(p, m, v):
        step = m / (1 - beta1**t) / (np.sqrt(v) / np.sqrt(1 - beta2**t) + eps)
        return p - lr * (step + decay * p)

    return tree_map(moved, params, m, v), dict(m=m, v=v, t=float(t))
