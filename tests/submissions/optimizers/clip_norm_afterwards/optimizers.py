import numpy as np


def clip_by_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in tree_leaves(grads)))
    return tree_map(lambda g: g * (max_norm / norm if norm > max_norm else 1.0), grads), min(norm, max_norm)
