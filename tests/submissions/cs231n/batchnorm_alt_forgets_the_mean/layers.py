import numpy as np


def batchnorm_backward_alt(dout, cache):
    x_hat, std, gamma = cache
    dbeta, dgamma = dout.sum(axis=0), np.sum(dout * x_hat, axis=0)
    return gamma / std * (dout - x_hat * dgamma / len(dout)), dgamma, dbeta
