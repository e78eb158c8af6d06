import numpy as np


def grouped_conv_forward(x, w, b, stride, pad, groups):
    size, share = x.shape[1] // groups, w.shape[0] // groups
    parts = [
        conv_forward(x[:, :size], w[g * share : (g + 1) * share], b[g * share : (g + 1) * share], stride, pad)
        for g in range(groups)
    ]
    return np.concatenate([out for out, _ in parts], axis=1), (share, [cache for _, cache in parts])
