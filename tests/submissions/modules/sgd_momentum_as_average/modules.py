class SGD:
    def step(self):
        for index, parameter in enumerate(self.parameters):
            self.velocities[index] = self.momentum * self.velocities[index] + (1 - self.momentum) * parameter.grad
            parameter.value = parameter.value - self.lr * self.velocities[index]
