import numpy as np


def groupnorm_forward(x, gamma, beta, groups, eps):
    N, C, H, W = x.shape
    parts = x.reshape(N, C // groups, groups, H, W)
    deviation = np.sqrt(parts.var(axis=(1, 3, 4), keepdims=True) + eps)
    normed = ((parts - parts.mean(axis=(1, 3, 4), keepdims=True)) / deviation).reshape(x.shape)
    deviation = np.broadcast_to(deviation, parts.shape).reshape(N * groups, -1)
    gamma, beta = gamma.reshape(C, 1, 1), beta.reshape(C, 1, 1)
    return gamma * normed + beta, (normed.reshape(N * groups, -1), gamma, deviation)
