def positions_backward(dout, cache):
    return dout, (dout * cache).sum(0)
