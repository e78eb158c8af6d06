class Tensor:
    def mean(self, axis=None, keepdims=False):
        return self.sum(axis=axis, keepdims=keepdims) * (1 / (self.data.shape or (1,))[0])
