class Tensor:
    def backward(self, gradient=None):
        xp = array_namespace(self.data)
        order = topological(self)
        for tensor in order:
            if tensor.parents:
                tensor.grad = None
        self.grad = xp.ones_like(self.data) if gradient is None else gradient
        for tensor in reversed(order):
            if tensor.parents:
                for parent, part in zip(tensor.parents, tensor.pull(tensor.grad)):
                    if parent.grad is None:
                        parent.grad = part
                    else:
                        parent.grad += part
