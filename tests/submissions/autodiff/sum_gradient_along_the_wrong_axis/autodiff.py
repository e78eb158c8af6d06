from array_api_compat import array_namespace


class Tensor:
    def sum(self, axis=None, keepdims=False):
        xp = array_namespace(self.data)
        x = self.data
        return Tensor(xp.sum(x, axis=axis, keepdims=keepdims), (self,), lambda g: (g * xp.ones_like(x),))
