def decay_step(params, grads, lr, decay):
    return tree_map(lambda p, g: p - lr * (g + (decay * p if p.ndim > 1 else 0)), params, grads)
