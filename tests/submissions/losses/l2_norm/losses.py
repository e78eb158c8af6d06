import numpy as np


def l2_penalty(weights, reg):
    norm = np.sqrt(sum((w * w).sum() for w in weights))
    return reg * norm, [reg * w / norm for w in weights]
