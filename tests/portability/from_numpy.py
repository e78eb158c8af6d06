# layer: RAISED, line 9: ones was made on the CPU at t.py, line 8 (torch.from_numpy): move it with .to(x.device)
import numpy as np
import torch


def f(x, w):
    t = torch.tanh(x)
    ones = torch.from_numpy(np.ones(x.shape))
    return t * w * ones, (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
