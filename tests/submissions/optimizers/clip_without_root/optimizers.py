import numpy as np


def clip_by_norm(grads, max_norm):
    norm = sum(np.sum(g**2) for g in tree_leaves(grads))
    return tree_map(lambda g: g * min(1.0, max_norm / norm) if norm > 0 else g, grads), norm
