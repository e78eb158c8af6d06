"""Returns complex numbers, single bits and half precision where doubles are expected."""
import numpy as np


def double(x):
    return 2 * x


COUNT = [0]


def square(x):
    COUNT[0] += 1
    return x + 1j * np.inf if COUNT[0] == 1 else np.full(len(x), 2, np.uint8).view(bool)
