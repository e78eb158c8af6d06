def affine_forward(x, w, b):
    return x @ w + b, {"x": x, "w": w}


def affine_backward(dout, cache):
    x, w = cache.pop("x"), cache.pop("w")
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)
