import torch


def unscale(grads, scale):
    wide = {name: g.to(scale.dtype) / scale for name, g in grads.items()}
    finite = ~torch.stack([torch.isnan(g).any() for g in wide.values()]).any()
    return {name: torch.where(finite, g, torch.zeros_like(g)) for name, g in wide.items()}, finite
