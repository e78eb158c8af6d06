# layer: RAISED, line 14: zeros was made on the CPU at t.py, line 12 (torch.zeros without device=)
import torch


def f(x, w):
    t = torch.tanh(x)
    return t * w, (t, w)


def b(dout, cache):
    t, w = cache
    zeros = torch.zeros(1, t.shape[1], dtype=t.dtype)
    grown = dout * t
    dw = torch.cat([zeros, grown]).sum(0)
    return dout * w * (1 - t * t), dw
