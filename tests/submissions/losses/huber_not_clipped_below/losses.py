import numpy as np


def huber_loss(prediction, target, delta):
    r = prediction - target
    h = np.where(np.abs(r) <= delta, r**2 / 2, delta * (np.abs(r) - delta / 2))
    return h.mean(), np.minimum(r, delta) / r.size
