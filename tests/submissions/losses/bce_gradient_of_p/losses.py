import numpy as np


def bce_loss(logits, y):
    p = 1 / (1 + np.exp(-logits))
    loss = np.mean(np.logaddexp(0, logits) - y * logits)
    return loss, (p - y) / (p * (1 - p)) / y.size
