def relu_backward(dout, cache):
    x = cache
    return dout * (dout > 0)
