def cnn_backward(dscores, cache):
    first, rectified, windows, shape, last = cache
    dfeatures, dw, db = affine_backward(dscores, last)
    dactive = avg_pool_backward(flatten_backward(dfeatures, shape), windows)
    _, dkernel, dbias = conv_backward(dactive, first)
    return {"conv": {"w": dkernel, "b": dbias}, "affine": {"w": dw, "b": db}}
