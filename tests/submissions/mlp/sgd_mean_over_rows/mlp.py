def sgd_step(params, grads, lr):
    return {name: params[name] - lr * grads[name] / len(params[name]) for name in params}
