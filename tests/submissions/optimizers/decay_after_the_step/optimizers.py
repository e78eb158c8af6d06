def decay_step(params, grads, lr, decay):
    moved = tree_map(lambda p, g: p - lr * g, params, grads)
    return tree_map(lambda p: p - lr * decay * p, moved)
