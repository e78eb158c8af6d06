from array_api_compat import array_namespace


def sum_to(gradient, shape):
    xp = array_namespace(gradient)
    axes = tuple(axis for axis, length in enumerate(shape) if length == 1 and gradient.shape[axis] != 1)
    return xp.sum(gradient, axis=axes, keepdims=True) if axes else gradient
