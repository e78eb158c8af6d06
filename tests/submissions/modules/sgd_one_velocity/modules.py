class SGD:
    def step(self):
        for parameter in self.parameters:
            self.velocities = self.momentum * self.velocities + parameter.grad if self.started else parameter.grad
            self.started = True
            parameter.value = parameter.value - self.lr * self.velocities

    started = False
