# layer
import torch


def f(x, w):
    draw = torch.Generator(device=x.device).manual_seed(0)
    kept = torch.rand(x.shape, generator=draw, device=x.device) < 2
    return torch.tanh(x) * w * kept, (torch.tanh(x), w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), torch.stack(list(dout * t)).sum(0)
