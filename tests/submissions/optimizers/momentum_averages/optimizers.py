def momentum_step(params, grads, state, lr, mu):
    v = tree_map(lambda v, g: mu * v + (1 - mu) * g, state["v"], grads)
    return tree_map(lambda p, v: p - lr * v, params, v), {"v": v}
