from array_api_compat import array_namespace


class Tensor:
    def backward(self, gradient=None):
        uses, waiting, seen = {}, [self], {self}
        while waiting:
            for parent in waiting.pop().parents:
                uses[parent] = uses.get(parent, 0) + 1
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
        sums = {self: array_namespace(self.data).ones_like(self.data) if gradient is None else gradient}
        ready = [self]
        while ready:
            tensor = ready.pop()
            if not tensor.parents:
                tensor.grad = sums[tensor] if tensor.grad is None else tensor.grad + sums[tensor]
                continue
            for parent, part in zip(tensor.parents, tensor.pull(sums.pop(tensor))):
                sums[parent] = sums[parent] + part if parent in sums else part
                uses[parent] -= 1
                if uses[parent] == 0:
                    ready.append(parent)
