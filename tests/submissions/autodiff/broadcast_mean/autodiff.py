from array_api_compat import array_namespace


def sum_to(gradient, shape):
    xp = array_namespace(gradient)
    missing = len(gradient.shape) - len(shape)
    if missing:
        gradient = xp.mean(gradient, axis=tuple(range(missing)))
    axes = tuple(axis for axis, length in enumerate(shape) if length == 1)
    return xp.mean(gradient, axis=axes, keepdims=True) if axes else gradient
