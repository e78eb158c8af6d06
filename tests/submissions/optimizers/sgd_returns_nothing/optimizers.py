def sgd_step(params, grads, lr):
    for p, g in zip(tree_leaves(params), tree_leaves(grads)):
        p -= lr * g
