import numpy as np


def dropout_forward(x, p, train):
    cache = {"train": train}
    if train:
        cache["mask"] = np.random.binomial(1, 1 - p, size=x.shape)
        cache["p"] = p
        x = cache["mask"] * x / (1 - p)
    return x, cache


def dropout_backward(dout, cache):
    if not cache.pop("train"):
        return (dout,)
    return (dout * cache.pop("mask") / (1 - cache.pop("p")),)
