def sgd_step(params, grads, lr):
    return {name: p - lr * grads[name] if name.startswith("W") else p for name, p in params.items()}
