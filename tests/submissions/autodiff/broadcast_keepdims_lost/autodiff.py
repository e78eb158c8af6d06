from array_api_compat import array_namespace


def sum_to(gradient, shape):
    xp = array_namespace(gradient)
    missing = len(gradient.shape) - len(shape)
    full = (1,) * missing + tuple(shape)
    axes = tuple(axis for axis, length in enumerate(full) if length == 1 and gradient.shape[axis] != 1)
    return xp.sum(gradient, axis=axes) if axes else gradient
