import numpy as np


def clip_by_norm(grads, max_norm):
    norm = sum(np.linalg.norm(g) for g in tree_leaves(grads))
    return tree_map(lambda g: g * (max_norm / norm if norm > max_norm else 1.0), grads), norm
