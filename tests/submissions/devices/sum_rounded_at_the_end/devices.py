import torch


def sum_in_order(x):
    return x.to(torch.float64).sum(0).to(torch.float32)
