class Tensor:
    def __pow__(self, exponent):
        out = self.data**exponent
        return Tensor(out, (self,), lambda g: (g * exponent * out,))
