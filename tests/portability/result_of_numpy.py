# layer: WRONG_DEVICE, line 13: dx is a NumPy array, expected a tensor on cuda:0
import torch


def f(x, w):
    t = torch.tanh(x)
    return t * w, (t, w)


def b(dout, cache):
    t, w = cache
    dx = dout * w * (1 - t * t)
    return dx.cpu().numpy(), (dout * t).sum(0)
