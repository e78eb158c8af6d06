def sgd_step(params, grads, lr):
    params = {name: params[name] - lr * grads[name] for name in params}
