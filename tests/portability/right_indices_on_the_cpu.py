# layer
import torch


def f(x, w):
    order = torch.arange(x.shape[1])
    t = torch.tanh(x)[:, order]
    return t * w[list(range(len(w)))], (t, w)


def b(dout, cache):
    t, w = cache
    dw = torch.zeros_like(w)
    dw[torch.arange(len(w))] = (dout * t).sum(0)
    return dout * w * (1 - t * t), dw
