class Linear:
    def backward(self, dout):
        x = self.inputs.pop()
        self.weight.grad = self.weight.grad + x.T @ dout
        self.bias.grad = self.bias.grad + dout.sum(axis=0)
        self.weight.value = self.weight.value - 0.01 * self.weight.grad
        return dout @ self.weight.value.T
