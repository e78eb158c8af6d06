import math


def cosine_decay(lr, t, total, lowest):
    t = min(t, total)
    return lowest + (lr - lowest) * (1 + math.cos(2 * math.pi * t / total)) / 2
