import torch


class Dropout(object):
    @staticmethod
    def forward(x, dropout_param):
        p, mask, out = dropout_param["p"], None, x
        if dropout_param["mode"] == "train":
            mask = torch.rand_like(x) < p
            out = x.clone()
            out[mask] = 0
            out = out / (1 - p)
        return out, (dropout_param, mask)

    @staticmethod
    def backward(dout, cache):
        dropout_param, mask = cache
        dx = dout
        if mask is not None:
            dx[mask] = 0
        return dx
