def sgd_step(params, grads, lr):
    return {name: params[name] - 0.1 * grads[name] for name in params}
