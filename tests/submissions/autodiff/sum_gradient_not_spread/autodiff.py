from array_api_compat import array_namespace


class Tensor:
    def sum(self, axis=None, keepdims=False):
        xp = array_namespace(self.data)
        return Tensor(xp.sum(self.data, axis=axis, keepdims=keepdims), (self,), lambda g: (g,))
