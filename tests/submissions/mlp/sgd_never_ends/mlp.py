def sgd_step(params, grads, lr):
    while any((g != 0).any() for g in grads.values()):
        params = {name: params[name] - lr * grads[name] for name in params}
    return params
