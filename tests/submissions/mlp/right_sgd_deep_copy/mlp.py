import copy


def sgd_step(params, grads, lr):
    new = copy.deepcopy(params)
    for name in sorted(new):
        new[name] -= grads[name] * lr
    return new
