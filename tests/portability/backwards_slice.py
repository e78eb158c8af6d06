# layer: RAISED, line 12: write xp.flip(x, axis=0)
import torch


def f(x, w):
    t = torch.tanh(x)
    return t * w, (t, w)


def b(dout, cache):
    t, w = cache
    dw = (dout * t)[::-1].sum(0)
    return dout * w * (1 - t * t), dw
