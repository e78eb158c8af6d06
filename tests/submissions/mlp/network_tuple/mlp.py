def mlp_backward(dscores, cache):
    first, rectified, second = cache
    dactive, dw2, db2 = affine_backward(dscores, second)
    dhidden = relu_backward(dactive, rectified)
    _, dw1, db1 = affine_backward(dhidden, first)
    return dw1, db1, dw2, db2
