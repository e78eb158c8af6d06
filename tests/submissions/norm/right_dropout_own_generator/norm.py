import numpy as np

GENERATOR = np.random.default_rng(2024)


def dropout_forward(x, p, train):
    if train is False:
        return x.copy(), np.ones_like(x)
    mask = np.stack([GENERATOR.random(x.shape[1:]) < 1 - p for _ in x]).astype(float)
    mask[mask > 0] = 1.0 / (1.0 - p)
    return np.multiply(x, mask), mask
