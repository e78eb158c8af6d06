def affine_backward(dout, cache):
    x, w = cache
    return x.T @ dout, dout.sum(axis=0)
