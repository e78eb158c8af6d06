import numpy as np


def bce_loss(logits, y):
    p = 1 / (1 + np.exp(-logits))
    loss = np.mean(y * np.logaddexp(0, -logits))
    return loss, -y * (1 - p) / y.size
