import numpy as np


def bce_loss(logits, y):
    N = len(logits)
    loss = np.sum(np.logaddexp(0, logits) - y * logits) / N
    p = 1 / (1 + np.exp(-logits))
    return loss, (p - y) / N
