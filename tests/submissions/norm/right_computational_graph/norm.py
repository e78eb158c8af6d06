import numpy as np


def batchnorm_forward(x, gamma, beta, running, momentum, eps, train):
    N, D = x.shape
    running = running or {"mean": np.zeros(D), "var": np.zeros(D)}
    if not train:
        inverse = 1 / np.sqrt(running["var"] + eps)
        xhat = (x - running["mean"]) * inverse
        return xhat * gamma + beta, running, [train, xhat, gamma, inverse]
    mu = 1 / N * np.sum(x, axis=0)
    xmu = x - mu
    sq = xmu**2
    var = 1 / N * np.sum(sq, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    out = gammax + beta
    new = {key: momentum * running[key] + (1 - momentum) * value for key, value in (("var", var), ("mean", mu))}
    return out, new, [train, x, gamma, beta, mu, xmu, sq, var, sqrtvar, ivar, xhat, gammax, out, eps, momentum, N, D]


def batchnorm_backward(dout, cache):
    if not cache[0]:
        _, xhat, gamma, inverse = cache
        return [dout * gamma * inverse, np.sum(dout * xhat, axis=0), np.sum(dout, axis=0)]
    _, x, gamma, beta, mu, xmu, sq, var, sqrtvar, ivar, xhat, gammax, out, eps, momentum, N, D = cache
    dbeta = np.sum(dout, axis=0)
    dgammax = dout
    dgamma = np.sum(dgammax * xhat, axis=0)
    dxhat = dgammax * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1 / sqrtvar**2 * divar
    dvar = 0.5 / np.sqrt(var + eps) * dsqrtvar
    dsq = np.ones((N, D)) / N * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -np.sum(dxmu1 + dxmu2, axis=0)
    return [dx1 + np.ones((N, D)) / N * dmu, dgamma, dbeta]


def batchnorm_backward_simplified(dout, cache):
    gamma, ivar, xhat, N = cache[2], cache[9], cache[10], cache[15]
    dxhat = dout * gamma
    dx = ivar / N * (N * dxhat - dxhat.sum(0) - xhat * (dxhat * xhat).sum(0))
    return dx, (dout * xhat).sum(0), dout.sum(0)
