import torch


def mixed_step(params, grads, scale, lr):
    unscaled, finite = unscale(grads, scale)
    halves = {name: p.to(torch.float16) - (lr * unscaled[name]).to(torch.float16) for name, p in params.items()}
    return {name: h.to(params[name].dtype) for name, h in halves.items()}, halves, finite
