class SGD:
    def step(self):
        for parameter in self.parameters:
            velocity = self.momentum * 0.0 + parameter.grad
            parameter.value = parameter.value - self.lr * velocity
