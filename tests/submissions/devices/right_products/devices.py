import torch


def embedding_forward(codes, w):
    rows = (codes[..., None] == torch.arange(w.shape[0], device=w.device)).to(w.dtype)
    return rows @ w, rows


def embedding_backward(dout, cache):
    return torch.einsum("ntv,ntd->vd", cache, dout)
