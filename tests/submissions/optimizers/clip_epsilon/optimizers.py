import numpy as np


def clip_by_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in tree_leaves(grads)))
    factor = min(1.0, max_norm / (norm + 1e-6))
    return tree_map(lambda g: g * factor, grads), norm
