def sgd_step(params, grads, lr):
    new = dict(params)
    for layer in new:
        for name in new[layer]:
            new[layer][name] = new[layer][name] - lr * grads[layer][name]
    return new
