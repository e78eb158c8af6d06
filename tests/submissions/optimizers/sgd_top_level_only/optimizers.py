def sgd_step(params, grads, lr):
    return {name: p - lr * grads[name] for name, p in params.items()}
