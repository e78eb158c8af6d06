# layer: RAISED, line 13: NumPy can't compute on the GPU
import numpy as np
import torch


def f(x, w):
    t = torch.tanh(x)
    return t * w, (t, w)


def b(dout, cache):
    t, w = cache
    dout = np.asarray(dout)
    return dout * w * (1 - t * t), (dout * t).sum(0)
