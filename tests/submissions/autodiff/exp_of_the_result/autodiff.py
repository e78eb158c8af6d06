from array_api_compat import array_namespace


class Tensor:
    def exp(self):
        xp = array_namespace(self.data)
        out = xp.exp(self.data)
        return Tensor(out, (self,), lambda g: (g * xp.exp(out),))
