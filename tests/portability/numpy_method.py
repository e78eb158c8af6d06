# layer: RAISED, line 7: can't convert cuda:0 device type tensor to numpy
import numpy as np
import torch


def f(x, w):
    t = torch.from_numpy(np.tanh(x.numpy()))
    return t * w, (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
