"""What the course compiles, in NumPy: windows of images as columns, and columns added up to images again."""

import numpy as np


def im2col_cython(x, field_height, field_width, padding, stride):
    """(N, C, H, W) -> (C field_height field_width, OH OW N)."""
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    seen = np.lib.stride_tricks.sliding_window_view(x, (field_height, field_width), axis=(2, 3))
    seen = seen[:, :, ::stride, ::stride]
    return seen.transpose(1, 4, 5, 2, 3, 0).reshape(x.shape[1] * field_height * field_width, -1)


def col2im_cython(cols, N, C, H, W, field_height, field_width, padding, stride):
    """The other way: each pixel is the sum of what stands for it in the columns."""
    high = (H + 2 * padding - field_height) // stride + 1
    wide = (W + 2 * padding - field_width) // stride + 1
    cols = cols.reshape(C, field_height, field_width, high, wide, N).transpose(0, 1, 2, 5, 3, 4)
    return col2im_6d_cython(cols, N, C, H, W, field_height, field_width, padding, stride)


def col2im_6d_cython(cols, N, C, H, W, HH, WW, pad, stride):
    """The same from (C, HH, WW, N, OH, OW)."""
    high, wide = cols.shape[4:]
    x = np.zeros((N, C, H + 2 * pad, W + 2 * pad), dtype=cols.dtype)
    for i in range(HH):
        for j in range(WW):
            part = cols[:, i, j].transpose(1, 0, 2, 3)
            x[:, :, i : i + stride * high : stride, j : j + stride * wide : stride] += part
    return x[:, :, pad : pad + H, pad : pad + W]
