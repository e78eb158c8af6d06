import numpy as np


def clip_gradients(grads, limit):
    return {name: np.clip(g, -limit, limit) for name, g in grads.items()}
