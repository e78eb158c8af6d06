import numpy as np


def affine_forward(x, w, b):
    return x @ w + b, (x, w, b)


def numerical_gradient(f, x, dout, h=1e-5):
    grad = np.zeros_like(x)
    it = np.nditer(x, flags=["multi_index"], op_flags=["readwrite"])
    while not it.finished:
        ix = it.multi_index
        old = x[ix]
        x[ix] = old + h
        up = f()
        x[ix] = old - h
        down = f()
        x[ix] = old
        grad[ix] = np.sum((up - down) * dout) / (2 * h)
        it.iternext()
    return grad


def affine_backward(dout, cache):
    x, w, b = cache
    f = lambda: affine_forward(x, w, b)[0]
    return tuple(numerical_gradient(f, array, dout) for array in (x, w, b))


def mlp_backward(dscores, cache):
    (x, w1, b1), hidden, (active, w2, b2) = cache
    dhidden = (dscores @ w2.T) * (hidden > 0)
    return {"W1": x.T @ dhidden, "b1": dhidden.sum(0), "W2": active.T @ dscores, "b2": dscores.sum(0)}
