def momentum_step(params, grads, state, lr, mu):
    v = tree_map(lambda v, g: mu * v + g, state["v"], grads)
    return tree_map(lambda p, v: p - lr * v, params, state["v"]), {"v": v}
