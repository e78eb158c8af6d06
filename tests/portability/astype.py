# layer: RAISED, line 6: a torch tensor has no .astype: write xp.astype(x, dtype), or x.to(dtype)
import torch


def f(x, w):
    t = torch.tanh(x.astype("float64"))
    return t * w, (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
