import math


def cosine_decay(lr, t, total, lowest):
    return lowest + (lr - lowest) * (1 + math.cos(math.pi * t / total)) / 2
