def block_backward(dout, cache):
    norm1, attention, norm2, first, gelu, second = cache
    grads = {"norm1": {}, "norm2": {}, "mlp": {}}
    d, grads["mlp"]["w2"], grads["mlp"]["b2"] = affine_backward(dout, second)
    d, grads["mlp"]["w1"], grads["mlp"]["b1"] = affine_backward(gelu_backward(d, gelu), first)
    d, grads["norm2"]["gamma"], grads["norm2"]["beta"] = layer_norm_backward(d, norm2)
    dout += d
    grads["attention"], d = multi_head_backward(dout, attention)
    d, grads["norm1"]["gamma"], grads["norm1"]["beta"] = layer_norm_backward(d, norm1)
    dout += d
    return grads, dout
