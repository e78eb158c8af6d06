# layer
import numpy as np
import torch

device = torch.device("cuda:0" if torch.cuda.device_count() else "cpu")


def f(x, w):
    ones = torch.from_numpy(np.ones(x.shape)).to(device)
    twos = torch.full(x.shape, 2.0, dtype=x.dtype, device="cuda")
    t = torch.tanh(x) * ones
    return t * w * twos / torch.as_tensor(np.full(1, 2.0), device=x.device), (t, w)


def b(dout, cache):
    t, w = cache
    linear = torch.nn.Linear(t.shape[0], 1, bias=False).to(t)
    linear.weight.data.fill_(1.0)
    return dout * w * (1 - t * t), linear((dout * t).T)[:, 0]
