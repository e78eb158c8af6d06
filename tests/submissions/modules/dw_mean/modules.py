class Linear:
    def backward(self, dout):
        x = self.inputs.pop()
        self.weight.grad = self.weight.grad + x.T @ dout / len(x)
        self.bias.grad = self.bias.grad + dout.mean(axis=0)
        return dout @ self.weight.value.T
