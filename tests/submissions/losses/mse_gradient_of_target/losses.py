import numpy as np


def mse_loss(prediction, target):
    r = target - prediction
    return np.mean(r**2), 2 * r / r.size
