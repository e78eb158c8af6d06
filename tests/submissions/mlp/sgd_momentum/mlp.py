velocity = {}


def sgd_step(params, grads, lr):
    for name in params:
        velocity[name] = 0.9 * velocity.get(name, 0) - lr * grads[name]
    return {name: params[name] + velocity[name] for name in params}
