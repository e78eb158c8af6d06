def sgd_step(params, grads, lr):
    return {name: params[name] - grads[name] for name in params}
