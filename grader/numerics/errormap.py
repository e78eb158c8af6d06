"""Where an array is wrong: a picture of at most 32 by 32 letters, small enough to stand in a report.

A letter is the largest error of its block of elements, in units of what is allowed there, on a scale of half decades:
"." is right throughout, "1" up to 3 times what is allowed, "2" up to 10 times, and so on to "9" and from "a" to "z";
"!" is not a number or infinite. It tells where, and never with which numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["LEVELS", "MOST", "ErrorMap", "error_map"]

MOST: Final = 32
"""Rows and columns, at most."""
LEVELS: Final = ".123456789abcdefghijklmnopqrstuvwxyz!"
"""By size. The number of a letter's half decade is its position."""
_LETTERS: Final = np.frombuffer(LEVELS.encode("ascii"), dtype="S1")


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorMap:
    """An array's errors. Of several axes the first goes down and all others across; one axis alone goes across."""

    shape: tuple[int, ...]
    """Of the array."""
    rows: tuple[str, ...]


def error_map(error: NDArray[Any], allowed: NDArray[Any]) -> ErrorMap | None:
    """Picture the errors of an array; None where there is nothing to be seen, in less than two elements.

    Args:
        error: how far each element is off, 0 or more; NaN where that can't be told.
        allowed: how far it may be off, of the same shape.
    """
    if error.size < 2:
        return None
    with np.errstate(all="ignore"):
        ratio = np.where(error <= allowed, 0.0, error / allowed)
        steps = np.clip(np.ceil(2 * np.log10(np.maximum(ratio, 1.0))), 1, len(LEVELS) - 2)
    level = np.where(ratio == 0.0, 0, np.where(np.isfinite(error), steps, len(LEVELS) - 1)).astype(np.intp)
    level = level.reshape(1 if error.ndim == 1 else error.shape[0], -1)
    for axis in (0, 1):
        level = np.maximum.reduceat(level, _starts(level.shape[axis]), axis=axis)
    return ErrorMap(shape=error.shape, rows=tuple(row.tobytes().decode("ascii") for row in _LETTERS[level]))


def _starts(size: int) -> NDArray[np.intp]:
    """Where blocks begin: of one element, or of as equal size as can be."""
    count = min(size, MOST)
    return np.arange(count) * size // count
