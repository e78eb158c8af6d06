import numpy as np


def huber_loss(prediction, target, delta):
    r = prediction - target
    near = r <= delta
    h = np.where(near, r**2 / 2, delta * (np.abs(r) - delta / 2))
    return h.mean(), np.where(near, r, delta * np.sign(r)) / r.size
