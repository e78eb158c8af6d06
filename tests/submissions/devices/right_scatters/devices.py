import torch


def one_hot(y, like):
    wide = like.new_zeros(like.shape[0], like.shape[1] + 1)
    where = torch.where(y < 0, like.shape[1], y)
    return wide.scatter_(1, where[:, None], 1.0)[:, :-1]


def embedding_backward(dout, cache):
    codes, shape = cache
    rows = codes.flatten()[:, None].expand(-1, shape[1])
    return dout.new_zeros(shape).scatter_add_(0, rows, dout.flatten(0, 1))
