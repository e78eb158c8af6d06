def dropout_backward(dout, cache):
    return dout
