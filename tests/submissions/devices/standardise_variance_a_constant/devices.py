def standardise_backward(dout, cache):
    out, inverse = cache
    return inverse * (dout - dout.mean(0))
