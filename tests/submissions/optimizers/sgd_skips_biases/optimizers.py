def sgd_step(params, grads, lr):
    return tree_map(lambda p, g: p - lr * g if p.ndim > 1 else p, params, grads)
