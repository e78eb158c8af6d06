import torch


def mixed_step(params, grads, scale, lr):
    unscaled, finite = unscale(grads, scale)
    halves = {name: p.to(torch.float16) for name, p in params.items()}
    return {name: p - lr * unscaled[name] for name, p in params.items()}, halves, finite
