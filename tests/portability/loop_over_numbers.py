# layer: SYNCHRONISES, line 9: float()
import torch


def f(x, w):
    t = torch.tanh(x)
    out = torch.empty_like(t)
    for i in range(w.shape[0]):
        out[:, i] = t[:, i] * float(w[i])
    return out, (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
