import torch


def unscale(grads, scale):
    wide = {name: g.to(scale.dtype) / scale for name, g in grads.items()}
    finite = {name: torch.isfinite(g).all() for name, g in wide.items()}
    out = {name: torch.where(finite[name], g, torch.zeros_like(g)) for name, g in wide.items()}
    return out, torch.stack(list(finite.values())).all()
