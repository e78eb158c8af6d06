def clip(grads, limit):
    norm = sum(float((g * g).sum()) for g in grads.values()) ** 0.5
    factor = limit / norm if norm > limit else 1.0
    return {name: g * factor for name, g in grads.items()}


def update_scale(scale, good, finite, interval):
    if not finite:
        return scale / 2, good * 0
    if good + 1 == interval:
        return scale * 2, good * 0
    return scale * 1, good + 1


def mixed_step(params, grads, scale, lr):
    unscaled, finite = unscale(grads, scale)
    if finite.item():
        params = {name: p - lr * unscaled[name] for name, p in params.items()}
    else:
        params = {name: p.clone() for name, p in params.items()}
    return params, {name: p.half() for name, p in params.items()}, finite
