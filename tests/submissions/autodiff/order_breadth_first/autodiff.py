def topological(last):
    order, seen, level = [last], {id(last)}, [last]
    while level:
        level = [parent for tensor in level for parent in tensor.parents]
        level = list({id(parent): parent for parent in level if id(parent) not in seen}.values())
        seen |= {id(parent) for parent in level}
        order += level
    return order[::-1]


class Tensor:
    def backward(self, gradient=None):
        xp = array_namespace(self.data)
        gradients = {id(self): xp.ones_like(self.data) if gradient is None else gradient}
        order = topological(self)
        for tensor in reversed(order):
            arrived = gradients[id(tensor)]
            for parent, part in zip(tensor.parents, tensor.pull(arrived) if tensor.parents else ()):
                gradients[id(parent)] = gradients.get(id(parent), 0) + part
        for tensor in order:
            if not tensor.parents:
                tensor.grad = gradients[id(tensor)] if tensor.grad is None else tensor.grad + gradients[id(tensor)]
