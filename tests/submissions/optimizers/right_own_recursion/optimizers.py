def walk(f, *trees):
    if isinstance(trees[0], dict):
        return {key: walk(f, *[tree[key] for tree in trees]) for key in sorted(trees[0])}
    if isinstance(trees[0], (list, tuple)):
        return tuple(walk(f, *each) for each in zip(*trees))
    return f(*trees)


def sgd_step(params, grads, lr, verbose=True):
    if verbose:
        print("step", lr)
    return walk(lambda p, g: p + -lr * g, params, grads)


def decay_step(params, grads, lr, decay):
    return walk(lambda p, g: (1 - lr * decay) * p - lr * g, params, grads)


def momentum_step(params, grads, state, lr, mu):
    v = walk(lambda v, g: v * mu + g, state["v"], grads)
    return [walk(lambda p, v: p - v * lr, params, v), {"v": v}]
