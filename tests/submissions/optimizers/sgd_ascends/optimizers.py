def sgd_step(params, grads, lr):
    return tree_map(lambda p, g: p + lr * g, params, grads)
