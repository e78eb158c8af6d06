class Sequential:
    def backward(self, dout):
        for module in self.modules[:0:-1]:
            dout = module.backward(dout)
        return dout
