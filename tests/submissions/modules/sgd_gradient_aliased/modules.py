class SGD:
    def step(self):
        for index, parameter in enumerate(self.parameters):
            velocity = self.velocities[index]
            if isinstance(velocity, float):
                velocity = parameter.grad
            else:
                velocity *= self.momentum
                velocity += parameter.grad
            self.velocities[index] = velocity
            parameter.value -= self.lr * velocity

    def zero_grad(self):
        for parameter in self.parameters:
            parameter.grad *= 0
