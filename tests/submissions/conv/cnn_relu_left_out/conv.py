def cnn_forward(params, x, pad):
    conv, affine = params["conv"], params["affine"]
    hidden, first = conv_forward(x, conv["w"], conv["b"], 1, pad)
    pooled, windows = avg_pool_forward(hidden, 2, 2, 2)
    features, shape = flatten_forward(pooled)
    scores, last = affine_forward(features, affine["w"], affine["b"])
    return scores, (first, windows, shape, last)


def cnn_backward(dscores, cache):
    first, windows, shape, last = cache
    dfeatures, dw, db = affine_backward(dscores, last)
    dhidden = avg_pool_backward(flatten_backward(dfeatures, shape), windows)
    _, dkernel, dbias = conv_backward(dhidden, first)
    return {"conv": {"w": dkernel, "b": dbias}, "affine": {"w": dw, "b": db}}
