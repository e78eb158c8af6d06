def momentum_step(params, grads, state, lr, mu):
    v = tree_map(lambda v, g: mu * v - lr * g, state["v"], grads)
    return tree_map(lambda p, v: p + v, params, v), {"v": v}
