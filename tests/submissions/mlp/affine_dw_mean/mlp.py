def affine_backward(dout, cache):
    x, w = cache
    N = x.shape[0]
    dx = dout @ w.T
    dw = x.T @ dout / N
    db = dout.sum(axis=0)
    return dx, dw, db
