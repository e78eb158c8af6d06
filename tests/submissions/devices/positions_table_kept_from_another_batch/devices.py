import torch


PLACES = torch.arange(64, dtype=torch.float64)


def positions_forward(x, gain):
    _, steps, features = x.shape
    table = torch.cos(PLACES[:steps, None].to(x.dtype) * 100 ** (-PLACES[:features].to(x.dtype) / features))
    return x + gain * table, table
