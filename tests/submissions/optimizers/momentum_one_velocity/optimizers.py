def momentum_step(params, grads, state, lr, mu):
    v = tree_leaves(state["v"])[0]

    def moved(p, g):
        nonlocal v
        v = mu * v + g
        return p - lr * v

    params = tree_map(moved, params, grads)
    return params, {"v": v}
