def adamw_step(params, grads, state, lr, beta1, beta2, eps, decay):
    grads = tree_map(lambda g, p: g + decay * p, grads, params)
    return adam_step(params, grads, state, lr, beta1, beta2, eps)
