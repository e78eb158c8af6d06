memory = []


def momentum_step(params, grads, state, lr, mu):
    if not memory:
        memory.append(tree_map(lambda g: 0 * g, grads))
    memory[0] = tree_map(lambda v, g: mu * v + g, memory[0], grads)
    return tree_map(lambda p, v: p - lr * v, params, memory[0]), {"v": memory[0]}
