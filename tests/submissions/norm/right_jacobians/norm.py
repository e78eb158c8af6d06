import numpy as np


def layernorm_backward(dout, cache):
    normed, gamma, deviation = cache
    N, D = dout.shape
    dx = np.zeros((N, D))
    for n in range(N):
        jacobian = (np.eye(D) - 1 / D - np.outer(normed[n], normed[n]) / D) / deviation[n]
        dx[n] = jacobian @ (gamma * dout[n])
    return dx, sum(dout[n] * normed[n] for n in range(N)), sum(dout[n] for n in range(N))


def rmsnorm_backward(dout, cache):
    x, gamma, size = cache
    N, T, D = x.shape
    dx, dgamma = np.zeros_like(x), np.zeros_like(gamma)
    for n in range(N):
        for t in range(T):
            r = size[n, t, 0]
            jacobian = np.eye(D) / r - np.outer(x[n, t], x[n, t]) / (D * r**3)
            dx[n, t] = jacobian @ (gamma * dout[n, t])
            dgamma += dout[n, t] * x[n, t] / r
    return dx, dgamma
