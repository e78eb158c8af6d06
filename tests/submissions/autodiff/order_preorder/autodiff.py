def topological(last):
    order, seen, waiting = [], set(), [last]
    while waiting:
        tensor = waiting.pop()
        if id(tensor) not in seen:
            seen.add(id(tensor))
            order.append(tensor)
            waiting += tensor.parents
    return order[::-1]


class Tensor:
    def backward(self, gradient=None):
        xp = array_namespace(self.data)
        gradients = {id(self): xp.ones_like(self.data) if gradient is None else gradient}
        for tensor in reversed(topological(self)):
            arrived = gradients[id(tensor)]
            for parent, part in zip(tensor.parents, tensor.pull(arrived) if tensor.parents else ()):
                gradients[id(parent)] = gradients.get(id(parent), 0) + part
        for tensor in topological(self):
            if not tensor.parents:
                tensor.grad = gradients[id(tensor)] if tensor.grad is None else tensor.grad + gradients[id(tensor)]
