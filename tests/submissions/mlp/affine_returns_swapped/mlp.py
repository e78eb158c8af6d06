def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, dout.sum(axis=0), x.T @ dout
