def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout + 0.01 * w, dout.sum(axis=0)
