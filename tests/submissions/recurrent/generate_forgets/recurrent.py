import numpy as np


def generate(params, first, length):
    code, written = first, []
    for _ in range(length):
        scores, _ = text_forward(params, code[:, None])
        code = scores[:, 0].argmax(axis=1)
        written.append(code)
    return np.stack(written, axis=1)
