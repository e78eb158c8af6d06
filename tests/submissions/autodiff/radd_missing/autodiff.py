class Tensor:
    __radd_of_a_friend__ = None

    def __radd__(self, other):
        return NotImplemented
