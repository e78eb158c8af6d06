# layer: RAISED, line 12: is it x.size? On torch that is a method
import torch


def f(x, w):
    t = torch.tanh(x)
    return t * w, (t, w)


def b(dout, cache):
    t, w = cache
    share = 1 / (t.size / t.shape[1])
    return dout * w * (1 - t * t), (dout * t).mean(0) / share
