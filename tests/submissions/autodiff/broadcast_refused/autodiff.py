class Tensor:
    def __add__(self, other):
        if isinstance(other, Tensor) and other.data.shape != self.data.shape:
            raise ValueError("shapes differ")
        data = other.data if isinstance(other, Tensor) else other
        parents = (self, other) if isinstance(other, Tensor) else (self,)
        return Tensor(self.data + data, parents, lambda g: (g,) * len(parents))

    def __mul__(self, other):
        if isinstance(other, Tensor) and other.data.shape != self.data.shape:
            raise ValueError("shapes differ")
        if not isinstance(other, Tensor):
            return Tensor(self.data * other, (self,), lambda g: (g * other,))
        return Tensor(self.data * other.data, (self, other), lambda g: (g * other.data, g * self.data))

    def __sub__(self, other):
        return self + -other

    def __truediv__(self, other):
        return self * other**-1
