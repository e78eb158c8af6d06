def affine_backward(dout, cache):
    x, w = cache
    N = x.shape[0]
    return dout @ w.T, x.T @ dout / N, dout.sum(axis=0) / N
