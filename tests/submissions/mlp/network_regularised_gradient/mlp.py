def mlp_backward(dscores, cache):
    first, rectified, second = cache
    dactive, dw2, db2 = affine_backward(dscores, second)
    dhidden = relu_backward(dactive, rectified)
    _, dw1, db1 = affine_backward(dhidden, first)
    return {"W1": dw1 + 0.001 * first[1], "b1": db1, "W2": dw2 + 0.001 * second[1], "b2": db2}
