def dropout_backward(dout, cache):
    dropout_param, mask = cache
    return dout * (mask if mask is not None else 1 / dropout_param["p"])
