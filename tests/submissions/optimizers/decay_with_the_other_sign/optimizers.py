def decay_step(params, grads, lr, decay):
    return tree_map(lambda p, g: p - lr * (g - decay * p), params, grads)
