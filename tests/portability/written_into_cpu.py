# layer: RAISED, line 9: one of them was made on the CPU at t.py, line 7 (torch.empty without device=)
import torch


def f(x, w):
    t = torch.tanh(x)
    out = torch.empty(x.shape, dtype=x.dtype)
    for i in range(len(x)):
        torch.mul(t[i], w, out=out[i])
    return out, (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
