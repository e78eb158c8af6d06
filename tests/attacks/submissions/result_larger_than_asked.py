"""Returns 64 MB where 24 bytes are expected."""
import numpy as np


def double(x):
    return 2 * x


def square(x):
    return np.zeros(8 << 20)
