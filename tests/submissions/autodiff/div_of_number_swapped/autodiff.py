class Tensor:
    def __rtruediv__(self, other):
        return self / other
