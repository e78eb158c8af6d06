import math


def cosine_decay(lr, t, total, lowest):
    t = min(t, total)
    return lowest + (lr - lowest) * (1 + math.cos(math.pi * t / total))
