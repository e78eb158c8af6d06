# layer: RAISED, line 7: NumPy can't compute on the GPU: use the tensor's own library
import numpy as np


def f(x, w):
    # NumPy's function on a tensor
    t = np.tanh(x)
    return t * w, (t, w)


def b(dout, cache):
    t, w = cache
    return dout * w * (1 - t * t), (dout * t).sum(0)
