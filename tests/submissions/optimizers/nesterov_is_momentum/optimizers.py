def nesterov_step(params, grads, state, lr, mu):
    return momentum_step(params, grads, state, lr, mu)
