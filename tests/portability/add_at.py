# embedding: RAISED, line 13: np.add.at knows no tensors
import numpy as np
import torch


def embed(codes, w):
    return w[codes], (codes, w)


def embed_back(dout, cache):
    codes, w = cache
    dw = torch.zeros_like(w)
    np.add.at(dw, codes, dout)
    return dw
