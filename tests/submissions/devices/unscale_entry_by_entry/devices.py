import torch


def unscale(grads, scale):
    wide = {name: g.to(scale.dtype) / scale for name, g in grads.items()}
    finite = torch.stack([torch.isfinite(g).all() for g in wide.values()]).all()
    return {name: torch.where(torch.isfinite(g), g, torch.zeros_like(g)) for name, g in wide.items()}, finite
