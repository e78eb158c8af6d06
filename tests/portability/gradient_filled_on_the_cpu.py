# layer: WRONG_DEVICE, line 12: (torch.zeros without device=): give it device=x.device
import torch


def f(x, w):
    t = torch.tanh(x)
    return t * w, (t, w)


def b(dout, cache):
    t, w = cache
    dw = torch.zeros(w.shape, dtype=w.dtype)
    dw[:] = (dout * t).sum(0)
    return dout * w * (1 - t * t), dw
