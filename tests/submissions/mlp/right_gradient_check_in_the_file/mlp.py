import numpy as np


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def numerical_gradient(f, x, dout, h=1e-5):
    grad = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + h
        up = f(x)
        x[index] = old - h
        down = f(x)
        x[index] = old
        grad[index] = ((up - down) * dout).sum() / (2 * h)
    return grad


x, w, b, dout = np.random.randn(3, 4), np.random.randn(4, 5), np.random.randn(5), np.random.randn(3, 5)
numerical = numerical_gradient(lambda x: affine_forward(x, w, b)[0], x, dout)
assert np.allclose(affine_backward(dout, affine_forward(x, w, b)[1])[0], numerical)
