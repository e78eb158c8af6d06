# layer: SYNCHRONISES, line 7: print of a tensor
import torch


def f(x, w):
    t = torch.tanh(x)
    print("t is", t)
    return t * w, (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
