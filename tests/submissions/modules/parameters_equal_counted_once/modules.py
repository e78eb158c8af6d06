class Sequential:
    def parameters(self):
        every = [parameter for module in self.modules for parameter in module.parameters()]
        return list({parameter.value.shape: parameter for parameter in every}.values())
