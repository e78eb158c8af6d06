import numpy as np


def clip_by_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in tree_leaves(grads)))
    return tree_map(lambda g: np.clip(g, -max_norm, max_norm), grads), norm
