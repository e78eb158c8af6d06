class Sequential:
    def backward(self, dout):
        for module in reversed(self.modules):
            dout = module.backward(dout)
