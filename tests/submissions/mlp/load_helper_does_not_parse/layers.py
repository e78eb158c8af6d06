from array_api_compat import array_namespace, device


def affine_forward(x, w, b):
    return (x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    xp = array_namespace(dout)
    return dout @ w.T, x.T @ dout, xp.sum(dout, axis=0)


def relu_forward(x):
    xp = array_namespace(x)
    return xp.maximum(x, xp.zeros_like(x)), x


def relu_backward(dout, cache):
    xp = array_namespace(dout)
    return xp.where(cache > 0, dout, xp.zeros_like(dout))
