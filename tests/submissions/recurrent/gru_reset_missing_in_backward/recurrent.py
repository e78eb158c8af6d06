import numpy as np


def gru_step_backward(dh_next, cache):
    x, h, wx, wh, r, z, n, vn = cache
    dn = dh_next * (1 - z) * (1 - n**2)
    dz = dh_next * (h - n) * z * (1 - z)
    dr = dn * vn * r * (1 - r)
    da = np.hstack([dr, dz, dn])
    return da @ wx.T, dh_next * z + da @ wh.T, x.T @ da, h.T @ da, da.sum(axis=0)
