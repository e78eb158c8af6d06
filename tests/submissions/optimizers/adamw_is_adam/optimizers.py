def adamw_step(params, grads, state, lr, beta1, beta2, eps, decay):
    return adam_step(params, grads, state, lr, beta1, beta2, eps)
