import numpy as np


def mse_loss(prediction, target):
    r = prediction - target
    loss = np.sqrt(np.mean(r**2))
    return loss, 2 * r / r.size
