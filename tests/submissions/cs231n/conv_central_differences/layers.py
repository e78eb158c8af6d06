import numpy as np


def conv_backward_naive(dout, cache):
    x, w, b, conv_param = cache
    grads = []
    for array in (x, w, b):
        grad = np.zeros_like(array)
        for index in np.ndindex(*array.shape):
            old = array[index]
            array[index] = old + 1e-5
            up = conv_forward_naive(x, w, b, conv_param)[0]
            array[index] = old - 1e-5
            down = conv_forward_naive(x, w, b, conv_param)[0]
            array[index] = old
            grad[index] = np.sum((up - down) * dout) / 2e-5
        grads.append(grad)
    return tuple(grads)
