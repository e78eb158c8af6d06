import numpy as np


def mse_loss(prediction, target):
    r = (prediction - target).astype(np.float32)
    return float(np.mean(r**2)), (2 * r / r.size).astype(np.float64)
