def sgd_step(params, grads, lr):
    return {name: params[name] - lr * grads[name] for name in ("W1", "W2")}
