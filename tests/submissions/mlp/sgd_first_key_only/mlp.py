def sgd_step(params, grads, lr):
    new = dict(params)
    for name in params:
        new[name] = params[name] - lr * grads[name]
        return new
