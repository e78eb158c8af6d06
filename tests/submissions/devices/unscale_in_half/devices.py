import torch


def unscale(grads, scale):
    halves = {name: (g / scale.to(g.dtype)).to(scale.dtype) for name, g in grads.items()}
    finite = torch.stack([torch.isfinite(g).all() for g in halves.values()]).all()
    return {name: torch.where(finite, g, torch.zeros_like(g)) for name, g in halves.items()}, finite
