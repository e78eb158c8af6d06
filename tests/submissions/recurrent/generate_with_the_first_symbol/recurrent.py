import numpy as np


def generate(params, first, length):
    codes = first[:, None]
    for _ in range(length - 1):
        scores, _ = text_forward(params, codes)
        codes = np.hstack([codes, scores[:, -1].argmax(axis=1)[:, None]])
    return codes
