# layer: RAISED, line 8: Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu!
import torch


def f(x, w):
    t = torch.tanh(x)
    linear = torch.nn.Linear(x.shape[1], x.shape[1]).double()
    return linear(t) * w, (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
