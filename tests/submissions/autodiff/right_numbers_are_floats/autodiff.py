import numpy as np


class Tensor:
    def __init__(self, data, parents=(), pull=None):
        self.data = np.asarray(data)
        self.parents = parents
        self.pull = pull
        self._grad = None

    @property
    def grad(self):
        return float(self._grad) if self._grad is not None and np.ndim(self._grad) == 0 else self._grad

    @grad.setter
    def grad(self, value):
        self._grad = value
