from array_api_compat import array_namespace


class Tensor:
    def log(self):
        x = self.data
        return Tensor(array_namespace(x).log(x + 1e-8), (self,), lambda g: (g / (x + 1e-8),))
