class Tensor:
    def backward(self, gradient=None):
        xp = array_namespace(self.data)
        waiting = [(self, xp.ones_like(self.data) if gradient is None else gradient)]
        while waiting:
            tensor, arrived = waiting.pop()
            if tensor.parents:
                waiting += zip(tensor.parents, tensor.pull(arrived))
            else:
                tensor.grad = arrived if tensor.grad is None else tensor.grad + arrived
