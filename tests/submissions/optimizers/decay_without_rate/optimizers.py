def decay_step(params, grads, lr, decay):
    return tree_map(lambda p, g: (1 - decay) * p - lr * g, params, grads)
