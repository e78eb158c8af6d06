import torch


def clip(grads, limit):
    norm = torch.sqrt(sum((g * g).sum() for g in grads.values()))
    return {name: g * (limit / norm) for name, g in grads.items()}
