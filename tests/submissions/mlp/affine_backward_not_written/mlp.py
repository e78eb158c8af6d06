def affine_backward(dout, cache):
    raise NotImplementedError("affine_backward is not written yet")
