def sgd_step(params, grads, lr):
    return [p - lr * g for p, g in zip(tree_leaves(params), tree_leaves(grads))]
