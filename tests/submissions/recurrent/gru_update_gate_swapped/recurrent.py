import numpy as np


def gru_step_forward(x, h, wx, wh, b):
    H = h.shape[1]
    u, v = x @ wx + b, h @ wh
    r, z = sigmoid(u[:, :H] + v[:, :H]), sigmoid(u[:, H : 2 * H] + v[:, H : 2 * H])
    n = np.tanh(u[:, 2 * H :] + r * v[:, 2 * H :])
    return z * n + (1 - z) * h, (x, h, wx, wh, r, z, n, v[:, 2 * H :])


def gru_step_backward(dh_next, cache):
    x, h, wx, wh, r, z, n, vn = cache
    dn = dh_next * z * (1 - n**2)
    dz = dh_next * (n - h) * z * (1 - z)
    dr = dn * vn * r * (1 - r)
    du, dv = np.hstack([dr, dz, dn]), np.hstack([dr, dz, dn * r])
    return du @ wx.T, dh_next * (1 - z) + dv @ wh.T, x.T @ du, h.T @ dv, du.sum(axis=0)
