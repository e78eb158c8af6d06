def mlp_backward(dscores, cache):
    first, rectified, second = cache
    dactive, dw2, db2 = affine_backward(dscores, second)
    dhidden = relu_backward(dactive, rectified)
    dw1 = first[0].T @ (dscores.sum(axis=1, keepdims=True) * (rectified > 0))
    db1 = dhidden.sum(axis=0)
    return {"W1": dw1, "b1": db1, "W2": dw2, "b2": db2}
