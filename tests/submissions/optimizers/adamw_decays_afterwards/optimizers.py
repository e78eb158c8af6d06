def adamw_step(params, grads, state, lr, beta1, beta2, eps, decay):
    params, state = adam_step(params, grads, state, lr, beta1, beta2, eps)
    return tree_map(lambda p: p - lr * decay * p, params), state
