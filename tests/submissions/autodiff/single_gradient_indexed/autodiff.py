from array_api_compat import array_namespace


class Tensor:
    def exp(self):
        out = array_namespace(self.data).exp(self.data)
        return Tensor(out, (self,), lambda g: g * out)

    def backward(self, gradient=None):
        xp = array_namespace(self.data)
        gradients = {id(self): xp.ones_like(self.data) if gradient is None else gradient}
        for tensor in reversed(topological(self)):
            arrived = gradients.pop(id(tensor))
            if not tensor.parents:
                tensor.grad = arrived if tensor.grad is None else tensor.grad + arrived
                continue
            parts = tensor.pull(arrived)
            for index, parent in enumerate(tensor.parents):
                gradients[id(parent)] = gradients.get(id(parent), 0) + parts[index]
