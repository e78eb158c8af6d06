from array_api_compat import array_namespace


class Tensor:
    def relu(self):
        xp = array_namespace(self.data)
        zeros = xp.zeros_like(self.data)
        return Tensor(xp.maximum(self.data, zeros), (self,), lambda g: (xp.where(g > 0, g, zeros),))
