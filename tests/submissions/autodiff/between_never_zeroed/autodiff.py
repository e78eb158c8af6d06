class Tensor:
    def backward(self, gradient=None):
        xp = array_namespace(self.data)
        self.grad = xp.ones_like(self.data) if gradient is None else gradient
        for tensor in reversed(topological(self)):
            if tensor.parents:
                for parent, part in zip(tensor.parents, tensor.pull(tensor.grad)):
                    parent.grad = part if parent.grad is None else parent.grad + part
