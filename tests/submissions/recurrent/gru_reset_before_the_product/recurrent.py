import numpy as np


def gru_step_forward(x, h, wx, wh, b):
    H = h.shape[1]
    u, v = x @ wx + b, h @ wh
    r, z = sigmoid(u[:, :H] + v[:, :H]), sigmoid(u[:, H : 2 * H] + v[:, H : 2 * H])
    vn = (r * h) @ wh[:, 2 * H :]
    n = np.tanh(u[:, 2 * H :] + vn)
    return (1 - z) * n + z * h, (x, h, wx, wh, r, z, n, vn)
