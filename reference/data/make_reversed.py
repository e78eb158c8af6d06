"""Sequences of symbols and their mirror images, as reversed.npz holds them.

    python reference/data/make_reversed.py          # writes reversed.npz beside this file

tests/test_topic_attention.py holds the file equal to what this makes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["LENGTH", "SYMBOLS", "sequences"]

SYMBOLS = 6
LENGTH = 5


def sequences(count: int) -> NDArray[np.int8]:
    """Different sequences, (count, LENGTH) of codes from 0 to SYMBOLS - 1, spread evenly over all there are.

    There are 6^5 = 7776, each a number of five digits to the base 6. 3571 shares no factor with 7776, so its
    multiples come to each number once before any comes again: no generator of random numbers, and so no version of it,
    decides what the file holds.
    """
    numbers = np.arange(count) * 3571 % SYMBOLS**LENGTH
    return (numbers[:, None] // SYMBOLS ** np.arange(LENGTH) % SYMBOLS).astype(np.int8)


if __name__ == "__main__":
    x = sequences(600)
    np.savez_compressed(Path(__file__).with_name("reversed.npz"), x=x, y=x[:, ::-1])
