import numpy as np


def dropout_backward(dout, cache):
    if cache is None:
        return dout
    keep = (cache != 0).mean()
    return dout * (np.random.rand(*dout.shape) < keep) / keep
