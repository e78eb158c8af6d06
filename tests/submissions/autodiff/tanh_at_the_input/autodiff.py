from array_api_compat import array_namespace


class Tensor:
    def tanh(self):
        x = self.data
        return Tensor(array_namespace(x).tanh(x), (self,), lambda g: (g * (1 - x * x),))
