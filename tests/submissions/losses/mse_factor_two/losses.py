import numpy as np


def mse_loss(prediction, target):
    r = prediction - target
    return np.mean(r**2), r / r.size
