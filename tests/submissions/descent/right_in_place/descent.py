import numpy as np


def f(x):
    x[...] = x**4 + x**3 + 2
    np.log(x, out=x)
    return x


def descend(gradient, start, rate, steps):
    path = [start.copy()]
    for _ in range(steps):
        start -= rate * gradient(start)
        path.append(start.copy())
    return path


def central_difference(f, x, h):
    n = np.empty_like(x)
    for d in range(x.size):
        old = x[d]
        x[d] = old + h
        n[d] = f(x)
        x[d] = old - h
        n[d] = (n[d] - f(x)) / (2 * h)
        x[d] = old
    return n
