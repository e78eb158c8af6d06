def affine_backward(dout, cache):
    x, w = cache
    out, (x, w) = affine_forward(x.copy(), w.copy(), 0.0)
    return dout @ w.T, x.T @ dout, dout.sum(axis=0) + 0 * out.sum()


def mlp_forward(params, x):
    hidden, _ = affine_forward(x, params["W1"], params["b1"])
    active, _ = relu_forward(hidden)
    scores, _ = affine_forward(active, params["W2"], params["b2"])
    return scores, (params, x)


def mlp_backward(dscores, cache):
    params, x = cache
    hidden, first = affine_forward(x, params["W1"], params["b1"])
    active, rectified = relu_forward(hidden)
    _, second = affine_forward(active, params["W2"], params["b2"])
    assert (mlp_forward(params, x)[0][0] == mlp_forward(params, x)[0][0]).all()
    dactive, dw2, db2 = affine_backward(dscores, second)
    _, dw1, db1 = affine_backward(relu_backward(dactive, rectified), first)
    return {"W1": dw1, "b1": db1, "W2": dw2, "b2": db2}
