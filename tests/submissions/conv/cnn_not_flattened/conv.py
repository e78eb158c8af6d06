def cnn_backward(dscores, cache):
    first, rectified, windows, shape, last = cache
    dfeatures, dw, db = affine_backward(dscores, last)
    dactive = avg_pool_backward(dfeatures, windows)
    _, dkernel, dbias = conv_backward(relu_backward(dactive, rectified), first)
    return {"conv": {"w": dkernel, "b": dbias}, "affine": {"w": dw, "b": db}}
