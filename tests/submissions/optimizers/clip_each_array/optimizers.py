import numpy as np


def clip_by_norm(grads, max_norm):
    norm = np.sqrt(sum(np.sum(g**2) for g in tree_leaves(grads)))

    def clipped(g):
        own = np.linalg.norm(g)
        return g * max_norm / own if own > max_norm else g

    return tree_map(clipped, grads), norm
