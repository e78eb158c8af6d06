def decay_step(params, grads, lr, decay):
    return tree_map(lambda p, g: p - lr * (g + 2 * decay * p), params, grads)
