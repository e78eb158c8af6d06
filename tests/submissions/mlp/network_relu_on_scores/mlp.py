def mlp_forward(params, x):
    hidden, first = affine_forward(x, params["W1"], params["b1"])
    active, rectified = relu_forward(hidden)
    scores, second = affine_forward(active, params["W2"], params["b2"])
    scores, last = relu_forward(scores)
    return scores, (first, rectified, second, last)


def mlp_backward(dscores, cache):
    first, rectified, second, last = cache
    dscores = relu_backward(dscores, last)
    dactive, dw2, db2 = affine_backward(dscores, second)
    _, dw1, db1 = affine_backward(relu_backward(dactive, rectified), first)
    return {"W1": dw1, "b1": db1, "W2": dw2, "b2": db2}
