def nesterov_step(params, grads, state, lr, mu):
    v = tree_map(lambda v, g: mu * v + g, state["v"], grads)
    return tree_map(lambda p, g, v: p - lr * (g + mu * v), params, grads, state["v"]), {"v": v}
