import numpy as np



class Module:
    def __call__(self, x):
        return self.forward(x)

    def parameters(self):
        found = {}
        for value in vars(self).values():
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, Parameter):
                    found[id(item)] = item
                elif hasattr(item, "parameters"):
                    found |= {id(parameter): parameter for parameter in item.parameters()}
        return list(found.values())


class Sequential:
    def parameters(self):
        return Module.parameters(self)

    def forward(self, x):
        for module in self.modules:
            x = Module.__call__(module, x)
        return x


class Linear:
    def parameters(self):
        return Module.parameters(self)


class MLP:
    def parameters(self):
        return Module.parameters(self)
