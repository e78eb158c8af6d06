"""Returns a column where a row is expected: a careless comparison makes a square of it."""
import numpy as np


def double(x):
    return 2 * x


def square(x):
    return np.zeros((len(x), 1)), np.zeros((0,))
