# layer: SYNCHRONISES, line 6: .cpu()
import torch


def f(x, w):
    t = torch.tanh(x.cpu()).to(x.device)
    return t * w, (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
