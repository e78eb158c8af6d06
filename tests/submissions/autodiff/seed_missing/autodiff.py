from array_api_compat import array_namespace


class Tensor:
    def backward(self, gradient=None):
        xp = array_namespace(self.data)
        gradients = {id(self): xp.zeros_like(self.data) if gradient is None else gradient}
        for tensor in reversed(topological(self)):
            arrived = gradients.pop(id(tensor))
            if not tensor.parents:
                tensor.grad = arrived if tensor.grad is None else tensor.grad + arrived
                continue
            for parent, part in zip(tensor.parents, tensor.pull(arrived)):
                gradients[id(parent)] = gradients.get(id(parent), 0) + part
