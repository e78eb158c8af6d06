from array_api_compat import array_namespace

GRADIENTS = {}


class Tensor:
    def __init__(self, data, parents=(), pull=None):
        self.data, self.parents, self.pull = data, parents, pull

    @property
    def grad(self):
        found = GRADIENTS.get(id(self))
        return array_namespace(self.data).zeros_like(self.data) if found is None else found[1]

    def backward(self, gradient=None):
        xp = array_namespace(self.data)
        arrived = {id(self): xp.ones_like(self.data) if gradient is None else gradient}
        for tensor in reversed(topological(self)):
            g = arrived.pop(id(tensor))
            if tensor.pull is None:
                GRADIENTS[id(tensor)] = tensor, tensor.grad + g  # the tensor too, so that its id stays its own
                continue
            for parent, part in zip(tensor.parents, tensor.pull(g)):
                arrived[id(parent)] = arrived.get(id(parent), 0) + part
