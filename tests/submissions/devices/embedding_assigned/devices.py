import torch


def embedding_backward(dout, cache):
    codes, shape = cache
    dw = torch.zeros(shape, device=dout.device, dtype=dout.dtype)
    dw[codes] += dout
    return dw
