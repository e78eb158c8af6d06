import torch


def unscale(grads, scale):
    wide = {name: g.to(scale.dtype) for name, g in grads.items()}
    for g in wide.values():
        finite = torch.isfinite(g).all()
    return {name: torch.where(finite, g / scale, torch.zeros_like(g)) for name, g in wide.items()}, finite
