import numpy as np


def step_decay(lr, t, every, factor):
    for _ in range(every, t + 1, every):
        lr = lr * factor
    return float(lr)


def cosine_decay(lr, t, total, lowest):
    if t >= total:
        return lowest
    return lowest + (lr - lowest) * np.cos(np.pi * t / (2 * total)) ** 2


def warm_up(lr, t, steps):
    if t < steps:
        return (t + 1) * lr / steps
    return lr
