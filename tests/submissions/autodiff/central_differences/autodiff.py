import numpy as np


class Tensor:
    def __init__(self, data, parents=(), again=None):
        self.data, self.parents, self.again, self.grad = data, parents, again, None

    def _make(self, again, *others):
        parents = (self, *others)
        return Tensor(again(*[parent.data for parent in parents]), parents, again)

    def backward(self, gradient=None):
        order = topological(self)
        g = np.ones_like(self.data) if gradient is None else gradient

        def loss(leaf, data):
            values = {}
            for tensor in order:
                inputs = [values[id(parent)] for parent in tensor.parents]
                values[id(tensor)] = data if tensor is leaf else tensor.again(*inputs) if inputs else tensor.data
            return np.sum(values[id(self)] * g)

        for leaf in order:
            if not leaf.parents:
                slopes = np.zeros(np.shape(leaf.data))
                for index in np.ndindex(*np.shape(leaf.data)):
                    h = 1e-5
                    up, down = np.array(leaf.data), np.array(leaf.data)
                    up[index] += h
                    down[index] -= h
                    slopes[index] = (loss(leaf, up) - loss(leaf, down)) / (2 * h)
                leaf.grad = slopes if leaf.grad is None else leaf.grad + slopes

    def __add__(self, other):
        return self._make(lambda x, y: x + y, as_tensor(other, like=self))

    def __neg__(self):
        return self._make(lambda x: -x)

    def __mul__(self, other):
        return self._make(lambda x, y: x * y, as_tensor(other, like=self))

    def __pow__(self, exponent):
        return self._make(lambda x: x**exponent)

    def __matmul__(self, other):
        return self._make(lambda x, y: x @ y, other)

    def exp(self):
        return self._make(np.exp)

    def log(self):
        return self._make(np.log)

    def tanh(self):
        return self._make(np.tanh)

    def relu(self):
        return self._make(lambda x: x * (np.real(x) > 0))

    def sum(self, axis=None, keepdims=False):
        return self._make(lambda x: np.sum(x, axis=axis, keepdims=keepdims))

    def reshape(self, shape):
        return self._make(lambda x: np.reshape(x, shape))

    def transpose(self, axes):
        return self._make(lambda x: np.transpose(x, axes))

    def __getitem__(self, key):
        return self._make(lambda x: x[key])
