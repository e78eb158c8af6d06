class Sequential:
    def parameters(self):
        every = [module for module in dict.fromkeys(self.modules) if isinstance(module, Linear)]
        return [parameter for module in every for parameter in module.parameters()]
