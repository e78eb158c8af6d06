def cnn_forward(params, x, pad):
    conv, affine = params["conv"], params["affine"]
    hidden, first = conv_forward(x, conv["w"], conv["b"], 1, 1)
    active, rectified = relu_forward(hidden)
    pooled, windows = avg_pool_forward(active, 2, 2, 2)
    features, shape = flatten_forward(pooled)
    scores, last = affine_forward(features, affine["w"], affine["b"])
    return scores, (first, rectified, windows, shape, last)
