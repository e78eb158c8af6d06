import numpy as np


def bce_loss(logits, y):
    p = 1 / (1 + np.exp(-logits))
    eps = 1e-8
    loss = -np.mean(y * np.log(p + eps) + (1 - y) * np.log(1 - p + eps))
    return loss, (p - y) / y.size
