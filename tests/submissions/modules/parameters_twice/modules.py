class Sequential:
    def parameters(self):
        return [parameter for module in self.modules for parameter in module.parameters()]
