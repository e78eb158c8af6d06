import numpy as np


def bce_loss(logits, y):
    q = 1 / (1 + np.exp(-logits))
    p = np.clip(q, 1e-12, 1 - 1e-12)
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    return loss, (q - y) / y.size
