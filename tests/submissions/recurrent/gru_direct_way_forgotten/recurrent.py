import numpy as np


def gru_step_backward(dh_next, cache):
    x, h, wx, wh, r, z, n, vn = cache
    dn = dh_next * (1 - z) * (1 - n**2)
    dz = dh_next * (h - n) * z * (1 - z)
    dr = dn * vn * r * (1 - r)
    du, dv = np.hstack([dr, dz, dn]), np.hstack([dr, dz, dn * r])
    return du @ wx.T, dv @ wh.T, x.T @ du, h.T @ dv, du.sum(axis=0)
