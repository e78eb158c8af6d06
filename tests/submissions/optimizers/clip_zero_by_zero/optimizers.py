import numpy as np


def clip_by_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in tree_leaves(grads)))
    with np.errstate(all="ignore"):
        return tree_map(lambda g: np.where(norm > max_norm, max_norm, norm) * (g / norm), grads), norm
