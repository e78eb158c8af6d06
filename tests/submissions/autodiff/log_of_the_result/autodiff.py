from array_api_compat import array_namespace


class Tensor:
    def log(self):
        out = array_namespace(self.data).log(self.data)
        return Tensor(out, (self,), lambda g: (g / out,))
