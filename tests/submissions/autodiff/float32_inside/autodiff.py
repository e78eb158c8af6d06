import numpy as np


class Tensor:
    def __init__(self, data, parents=(), pull=None):
        self.data = np.asarray(data, dtype=np.float32)
        self.parents = parents
        self.pull = pull
        self.grad = None
