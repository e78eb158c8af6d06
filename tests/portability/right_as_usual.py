# layer
import torch


def f(x, w):
    t = torch.tanh(x)
    return t * w, (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
