import numpy as np


def topological(last):
    order, seen = [], set()
    waiting = [(last, iter(last._prev))]
    seen.add(last)
    while waiting:
        node, rest = waiting[-1]
        child = next(rest, None)
        if child is None:
            order.append(node)
            waiting.pop()
        elif child not in seen:
            seen.add(child)
            waiting.append((child, iter(child._prev)))
    return order


def unbroadcast(g, shape):
    while g.ndim > len(shape):
        g = g.sum(axis=0)
    for i, n in enumerate(shape):
        if n == 1:
            g = g.sum(axis=i, keepdims=True)
    return g


class Tensor:
    def __init__(self, data, _children=()):
        self.data = np.asarray(data)
        self.grad = np.zeros_like(self.data)
        self._prev = _children
        self._backward = lambda: None

    def _result(self, data, parents, *slopes):
        out = Tensor(data, parents)

        def _backward():
            for parent, slope in zip(parents, slopes):
                parent.grad = parent.grad + unbroadcast(np.asarray(slope(out.grad)), parent.data.shape)

        out._backward = _backward
        return out

    def backward(self, gradient=None):
        order = topological(self)
        for node in order:
            if node._prev:
                node.grad = np.zeros_like(node.data)
        self.grad = self.grad + (np.ones_like(self.data) if gradient is None else gradient)
        for node in reversed(order):
            node._backward()

    def __add__(self, other):
        other = as_tensor(other, like=self)
        return self._result(self.data + other.data, (self, other), lambda g: g, lambda g: g)

    def __neg__(self):
        return self * -1

    def __mul__(self, other):
        other = as_tensor(other, like=self)
        x, y = self.data, other.data
        return self._result(x * y, (self, other), lambda g: g * y, lambda g: g * x)

    def __pow__(self, n):
        return self._result(self.data**n, (self,), lambda g: g * n * self.data ** (n - 1))

    def __matmul__(self, other):
        x, y = self.data, other.data
        return self._result(x @ y, (self, other), lambda g: g @ y.swapaxes(-1, -2), lambda g: x.swapaxes(-1, -2) @ g)

    def exp(self):
        return self._result(np.exp(self.data), (self,), lambda g: g * np.exp(self.data))

    def log(self):
        return self._result(np.log(self.data), (self,), lambda g: g / self.data)

    def tanh(self):
        return self._result(np.tanh(self.data), (self,), lambda g: g * (1 - np.tanh(self.data) ** 2))

    def relu(self):
        return self._result(np.maximum(self.data, 0), (self,), lambda g: g * (self.data >= 0))

    def sum(self, axis=None, keepdims=False):
        def spread(g):
            if axis is not None and not keepdims:
                g = np.expand_dims(g, axis)
            return g * np.ones_like(self.data)

        return self._result(self.data.sum(axis=axis, keepdims=keepdims), (self,), spread)

    def mean(self, axis=None, keepdims=False):
        total = self.sum(axis=axis, keepdims=keepdims)
        return total / (self.data.size / total.data.size)

    def reshape(self, *shape):
        return self._result(self.data.reshape(*shape), (self,), lambda g: g.reshape(self.data.shape))

    def transpose(self, *axes):
        axes = axes[0] if isinstance(axes[0], tuple) else axes
        return self._result(self.data.transpose(axes), (self,), lambda g: g.transpose(np.argsort(axes)))

    def __getitem__(self, key):
        def back(g):
            out = np.zeros_like(self.data)
            np.add.at(out, key, g)
            return out

        return self._result(self.data[key], (self,), back)
