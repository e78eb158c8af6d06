import torch


def positions_forward(x, gain):
    _, steps, features = x.shape
    t = torch.arange(steps, device=x.device, dtype=torch.float64)
    d = torch.arange(features, device=x.device, dtype=torch.float64)
    table = torch.cos(t[:, None] * 100 ** (-d / features))
    return x + gain * table, table
