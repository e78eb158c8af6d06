def adamw_step(params, grads, state, lr, beta1, beta2, eps, decay):
    params = tree_map(lambda p: (1 - decay) * p, params)
    return adam_step(params, grads, state, lr, beta1, beta2, eps)
