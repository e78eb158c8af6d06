from array_api_compat import array_namespace

TAPE = []


class Tensor:
    def __init__(self, data, parents=(), pull=None):
        self.data, self.parents, self.pull, self.grad = data, parents, pull, None
        TAPE.append(self)

    def backward(self, gradient=None):
        xp = array_namespace(self.data)
        arrived = {self: xp.ones_like(self.data) if gradient is None else gradient}
        for tensor in reversed(TAPE):
            g = arrived.pop(tensor, None)
            if g is None:
                continue
            if tensor.pull is None:
                tensor.grad = g if tensor.grad is None else tensor.grad + g
                continue
            for parent, part in zip(tensor.parents, tensor.pull(g)):
                arrived[parent] = arrived[parent] + part if parent in arrived else part
