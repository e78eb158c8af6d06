def nesterov_step(params, grads, state, lr, mu):
    old = tree_map(lambda v: -lr * v, state["v"])
    new = tree_map(lambda v, g: mu * v - lr * g, old, grads)
    params = tree_map(lambda p, a, b: p - mu * a + (1 + mu) * b, params, old, new)
    return params, {"v": tree_map(lambda v: v / -lr, new)}
