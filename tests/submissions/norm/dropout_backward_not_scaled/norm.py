def dropout_backward(dout, cache):
    return dout if cache is None else dout * (cache != 0)
