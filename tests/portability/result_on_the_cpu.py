# layer: WRONG_DEVICE, line 7: out is a tensor on cpu, expected a tensor on cuda:0
import torch


def f(x, w):
    t = torch.tanh(x)
    return (t * w).cpu(), (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
