def relu_backward(dout, cache):
    x = cache
    return dout * (x > 1)
