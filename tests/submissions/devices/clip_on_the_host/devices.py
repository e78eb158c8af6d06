import torch


def clip(grads, limit):
    squares = torch.zeros(len(grads), dtype=torch.float64)
    torch.stack([(g * g).sum() for g in grads.values()], out=squares)
    factor = (limit / torch.sqrt(squares.sum())).clamp(max=1)
    return {name: g * factor for name, g in grads.items()}
