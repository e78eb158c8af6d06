class Linear:
    def parameters(self):
        yield self.weight
        yield self.bias


class ReLU:
    def parameters(self):
        return ()


class Sequential:
    def parameters(self):
        seen = []
        for module in self.modules:
            for parameter in module.parameters():
                if not any(parameter is other for other in seen):
                    seen.append(parameter)
                    yield parameter


class MLP:
    def parameters(self):
        yield from self.network.parameters()
