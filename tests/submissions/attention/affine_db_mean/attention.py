def affine_backward(dout, cache):
    x, w = cache
    rows, drows = x.reshape(-1, x.shape[2]), dout.reshape(-1, dout.shape[2])
    return dout @ w.T, rows.T @ drows, drows.mean(axis=0)
