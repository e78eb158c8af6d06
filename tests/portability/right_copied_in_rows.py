# layer
import torch


def f(x, w):
    out = torch.empty_like(x)
    out.copy_(torch.zeros(x.shape))
    out[0] = torch.zeros(x.shape[1])
    t = torch.tanh(x)
    return out.add_(t * w), (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), torch.einsum("nd,nd->d", dout, t)
