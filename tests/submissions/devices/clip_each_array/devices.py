import torch


def clip(grads, limit):
    return {name: g * (limit / torch.sqrt((g * g).sum())).clamp(max=1) for name, g in grads.items()}
