# layer
import torch

torch.set_default_device("cuda" if torch.cuda.is_available() else "cpu")


def f(x, w):
    t = torch.tanh(x)
    return t * w + torch.zeros(x.shape[1]), (t, w)


def b(dout, cache):
    t, w = cache
    with torch.device(t.device):
        dw = torch.zeros(w.shape, dtype=w.dtype)
    return dout * w * (1 - t * t), dw + (dout * t).sum(0)
