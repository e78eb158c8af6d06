class SGD:
    def step(self):
        for index, parameter in enumerate(self.parameters):
            self.velocities[index] = self.momentum * self.velocities[index] + parameter.grad
            value = parameter.value
            value = value - self.lr * self.velocities[index]
