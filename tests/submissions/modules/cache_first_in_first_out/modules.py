class Linear:
    def backward(self, dout):
        x = self.inputs.pop(0)
        self.weight.grad = self.weight.grad + x.T @ dout
        self.bias.grad = self.bias.grad + dout.sum(axis=0)
        return dout @ self.weight.value.T
