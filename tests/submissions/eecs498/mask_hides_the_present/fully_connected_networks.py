import torch


def get_subsequent_mask(seq):
    N, K = seq.shape
    return torch.ones(N, K, K, dtype=torch.bool).triu(diagonal=0)
