# layer: RAISED, line 9: was made on the CPU at t.py, line 4 (torch.ones without device=)
import torch

SCALE = torch.ones(1, dtype=torch.float64)


def f(x, w):
    t = torch.tanh(x)
    return t * w * SCALE, (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
