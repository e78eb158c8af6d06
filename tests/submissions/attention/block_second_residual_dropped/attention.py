def block_backward(dout, cache):
    norm1, attention, norm2, first, gelu, second = cache
    dactive, dw2, db2 = affine_backward(dout, second)
    dnormed, dw1, db1 = affine_backward(gelu_backward(dactive, gelu), first)
    dy, dgamma2, dbeta2 = layer_norm_backward(dnormed, norm2)
    pass
    dattention, dnormed = multi_head_backward(dy, attention)
    dx, dgamma1, dbeta1 = layer_norm_backward(dnormed, norm1)
    grads = {
        "norm1": {"gamma": dgamma1, "beta": dbeta1},
        "attention": dattention,
        "norm2": {"gamma": dgamma2, "beta": dbeta2},
        "mlp": {"w1": dw1, "b1": db1, "w2": dw2, "b2": db2},
    }
    return grads, dx + dy
