def flatten_backward(dout, cache):
    N, C, H, W = cache
    return dout.reshape(N, C, W, H).transpose(0, 1, 3, 2)
