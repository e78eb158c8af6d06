import numpy as np


def clip_gradients(grads, limit):
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    return {name: g * (limit / norm) for name, g in grads.items()}
