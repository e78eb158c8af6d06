# layer: RAISED, line 8: bias was made on the CPU at t.py, line 7 (torch.zeros without device=): give it device=x.device
import torch


def f(x, w):
    t = torch.tanh(x)
    bias = torch.zeros(w.shape, dtype=w.dtype)
    return t * w + bias, (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
