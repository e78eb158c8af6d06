"""Takes three times the memory that it may, as arrays."""
import numpy as np

import target
from raw import attempt


def double(x):
    return 2 * x


def square(x):
    pieces = []
    attempt("arrays", lambda: len([pieces.append(np.ones(1 << 21)) for _ in range(3 * target.MEMORY >> 24)]))
