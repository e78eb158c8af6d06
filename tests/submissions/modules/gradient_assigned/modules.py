class Linear:
    def backward(self, dout):
        x = self.inputs.pop()
        self.weight.grad = x.T @ dout
        self.bias.grad = dout.sum(axis=0)
        return dout @ self.weight.value.T
