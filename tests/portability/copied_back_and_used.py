# layer: RAISED, line 12: one of them was made on the CPU at t.py, line 6 (.cpu()): leave it on the GPU
import torch


def f(x, w):
    t = torch.tanh(x).cpu()
    return t.to(x.device) * w, (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
