def affine_backward(dout, cache):
    x, w = cache
    D, M = w.shape
    dx = dout @ w.reshape(M, D)
    return dx, x.T @ dout, dout.sum(axis=0)
