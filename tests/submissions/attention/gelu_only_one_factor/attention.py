def gelu_backward(dout, cache):
    x, t = cache
    return dout * (1 + t) / 2
