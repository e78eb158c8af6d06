import numpy as np


def clip_gradients(grads, limit):
    return {name: g * min(1.0, limit / max(np.linalg.norm(g), 1e-300)) for name, g in grads.items()}
