class Sequential:
    def backward(self, dout):
        for module in self.modules:
            dout = module.backward(dout)
        return dout
