import torch


def one_hot(y, like):
    classes = torch.arange(like.shape[1])
    return (y[:, None] == classes).to(like.dtype)
