"""Returns a million times a million numbers that take eight bytes in all."""
import numpy as np


def double(x):
    return 2 * x


def square(x):
    return np.broadcast_to(1.0, (10**6, 10**6))
