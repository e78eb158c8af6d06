def affine_backward(dout, cache):
    x, w, b = cache
    rows = x.reshape(x.shape[0], -1)
    return dout.dot(w.T), rows.T.dot(dout), dout.sum(axis=0)
