def mixed_step(params, grads, scale, lr):
    unscaled, finite = unscale(grads, scale)
    params = {name: p - lr * unscaled[name] for name, p in params.items()}
    return params, dict(params), finite
