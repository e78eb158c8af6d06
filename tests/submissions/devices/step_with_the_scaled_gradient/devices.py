import torch


def mixed_step(params, grads, scale, lr):
    _, finite = unscale(grads, scale)
    params = {
        name: torch.where(finite, p - lr * grads[name].to(p.dtype), p) for name, p in params.items()
    }
    return params, {name: p.to(torch.float16) for name, p in params.items()}, finite
