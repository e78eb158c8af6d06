import math


def cosine_decay(lr, t, total, lowest):
    t = min(t, total)
    return lowest + lr * (1 + math.cos(math.pi * t / total)) / 2
