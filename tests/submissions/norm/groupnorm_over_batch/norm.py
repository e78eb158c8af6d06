import numpy as np


def groupnorm_forward(x, gamma, beta, groups, eps):
    N, C, H, W = x.shape
    parts = x.reshape(N, groups, C // groups, H, W)
    deviation = np.sqrt(parts.var(axis=(0, 2, 3, 4), keepdims=True) + eps)
    normed = ((parts - parts.mean(axis=(0, 2, 3, 4), keepdims=True)) / deviation).reshape(N * groups, -1)
    deviation = np.broadcast_to(deviation, parts.shape).reshape(N * groups, -1)
    gamma, beta = gamma.reshape(C, 1, 1), beta.reshape(C, 1, 1)
    return gamma * normed.reshape(x.shape) + beta, (normed, gamma, deviation)
