class Linear:
    def backward(self, dout):
        x = self.inputs.pop()
        self.weight.grad += x.T @ dout
        self.bias.grad += dout.sum(axis=0)
        return dout @ self.weight.value.T


class SGD:
    def zero_grad(self):
        for parameter in self.parameters:
            parameter.grad[...] = 0

    def step(self):
        for index, parameter in enumerate(self.parameters):
            self.velocities[index] = self.momentum * self.velocities[index] + parameter.grad
            parameter.value -= self.lr * self.velocities[index]
