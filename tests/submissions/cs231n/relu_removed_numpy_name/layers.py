import numpy as np


def relu_backward(dout, cache):
    return dout * (cache > 0).astype(np.float)
