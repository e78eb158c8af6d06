import numpy as np


def bce_loss(logits, y):
    s = np.clip(logits, -30, 30)
    loss = np.mean(np.log1p(np.exp(s)) - y * s)
    return loss, (1 / (1 + np.exp(-s)) - y) / y.size
