from array_api_compat import array_namespace


class Tensor:
    def __getitem__(self, key):
        x = self.data

        def pull(g):
            back = array_namespace(x).zeros_like(x)
            back[key] += g
            return (back,)

        return Tensor(x[key], (self,), pull)
