import numpy as np


def bce_loss(logits, y):
    p = 1 / (1 + np.exp(-logits))
    loss = np.mean(np.log(1 + np.exp(logits)) - y * logits)
    return loss, (p - y) / y.size
