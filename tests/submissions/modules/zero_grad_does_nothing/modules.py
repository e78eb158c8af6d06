class SGD:
    def zero_grad(self):
        for parameter in self.parameters:
            gradient = parameter.grad
            gradient = gradient * 0
