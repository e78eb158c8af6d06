import numpy as np


def grouped_conv_forward(x, w, b, stride, pad, groups):
    size = x.shape[1] // groups
    parts = [
        conv_forward(x[:, g * size : (g + 1) * size], w[g::groups], b[g::groups], stride, pad) for g in range(groups)
    ]
    return np.concatenate([out for out, _ in parts], axis=1), (w.shape[0] // groups, [cache for _, cache in parts])
