from array_api_compat import array_namespace


class Tensor:
    def transpose(self, axes):
        xp = array_namespace(self.data)
        shape = tuple(self.data.shape[axis] for axis in axes)
        return Tensor(xp.reshape(self.data, shape), (self,), lambda g: (xp.reshape(g, self.data.shape),))
