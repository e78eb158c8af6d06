# layer: RAISED, line 8: a generator draws on its own device: torch.Generator(device=x.device)
import torch


def f(x, w):
    t = torch.tanh(x)
    draw = torch.Generator().manual_seed(0)
    kept = torch.rand(x.shape, generator=draw, device=x.device) < 2
    return t * w * kept, (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
