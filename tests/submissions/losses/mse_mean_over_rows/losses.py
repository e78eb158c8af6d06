import numpy as np


def mse_loss(prediction, target):
    N = prediction.shape[0]
    r = prediction - target
    return np.sum(r**2) / N, 2 * r / N
