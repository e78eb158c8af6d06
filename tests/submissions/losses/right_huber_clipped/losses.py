import numpy as np


def huber_loss(prediction, target, delta):
    r = prediction - target
    clipped = np.clip(r, -delta, delta)
    return np.mean(clipped * (r - clipped / 2)), clipped / r.size
