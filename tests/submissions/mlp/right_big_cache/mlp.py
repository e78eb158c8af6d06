def affine_forward(x, w, b):
    product = x @ w
    out = product + b
    return out, (x, w, b, product, out, x.shape, w.shape, b.shape, x.T, w.T, "affine", None)


def affine_backward(dout, cache):
    x, w, b, product, out, x_shape, w_shape, b_shape, xt, wt, name, nothing = cache
    assert name == "affine" and nothing is None
    return dout @ wt, xt @ dout, dout.sum(axis=0).reshape(b_shape)
