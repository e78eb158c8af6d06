# layer
import torch

HALF = torch.tensor(0.5, dtype=torch.float64)


def f(x, w):
    t = torch.tanh(x)
    return t * w * HALF * torch.tensor(2.0), (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
