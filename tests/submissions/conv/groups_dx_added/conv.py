import numpy as np


def grouped_conv_backward(dout, cache):
    share, caches = cache
    parts = [conv_backward(dout[:, g * share : (g + 1) * share], own) for g, own in enumerate(caches)]
    dx = sum(part[0] for part in parts)
    return dx, np.concatenate([part[1] for part in parts]), np.concatenate([part[2] for part in parts])
