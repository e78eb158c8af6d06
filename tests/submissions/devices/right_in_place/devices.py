import torch


def positions_forward(x, gain):
    d = torch.arange(x.shape[2]).to(x) / x.shape[2]
    table = torch.outer(torch.arange(x.shape[1]).to(x), torch.pow(torch.tensor(100.0).to(x), -d)).cos_()
    return torch.addcmul(x, gain, table), {"table": table}


def positions_backward(dout, cache):
    return dout * 1, torch.einsum("ntd,td->d", dout, cache["table"])


def standardise_forward(x, eps):
    variance, mean = torch.var_mean(x, dim=0, correction=0)
    inverse = torch.rsqrt(variance + eps)
    out = x.sub(mean).mul_(inverse)
    return out, (out, inverse)


def unscale(grads, scale):
    wide, finite = {}, torch.ones((), dtype=torch.bool, device=scale.device)
    for name, g in grads.items():
        wide[name] = g.to(scale.dtype, copy=True).div_(scale)
        finite &= wide[name].isfinite().all()
    for g in wide.values():
        g.masked_fill_(~finite, 0.0)
    return wide, finite


def mixed_step(params, grads, scale, lr):
    unscaled, finite = unscale(grads, scale)
    masters = {name: torch.sub(p, unscaled[name], alpha=lr) for name, p in params.items()}
    return masters, {name: p.half() for name, p in masters.items()}, finite
