"""How far a right result may lie from the expected one: one table, each entry with its reason.

A tolerance is a value. It is derived from the expected result and the dtype that the student's code worked in,
never from the student's result, so a wrong result can't loosen it.

The rule (comparison.py) is |actual - expected| <= atol + rtol * |expected| on each element. `rtol` covers elements
of ordinary size; `atol` is a share of the largest element of that tensor and covers those that are small because
larger terms cancelled in them, where rounding is no longer small against the element itself.

Only dtypes whose entry has been measured are in the table; asking for another is an error, not a guess.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

__all__ = ["EXACT", "Tolerance", "tolerance_for"]

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """Allowed error of an element: atol + rtol * |expected|, and why that much."""

    rtol: float
    atol: float
    reason: str

    def __post_init__(self) -> None:
        for name, value in (("rtol", self.rtol), ("atol", self.atol)):
            if not (0.0 <= value < math.inf):
                raise ValueError(f"{name} must be finite and not negative, got {value}")

    def __str__(self) -> str:
        return f"rtol {self.rtol:.1e}, atol {self.atol:.1e} ({self.reason})"


EXACT = Tolerance(rtol=0.0, atol=0.0, reason="integers and truth values are compared exactly")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    rtol: float
    atol_share: float
    """atol as a share of the largest |expected| of the tensor."""
    reason: str


_AGAINST_REFERENCE: dict[np.dtype[Any], _Entry] = {
    np.dtype(np.float64): _Entry(
        rtol=1e-9,
        atol_share=1e-10,
        reason="float64: right code errs by 1e-16 to 1e-12, nothing right was seen between 1e-9 and 1e-6",
    ),
}
"""A student's result against the float64 torch reference, by the dtype that the student's code was given."""


def tolerance_for(expected: ArrayLike, dtype: DTypeLike, *, scale: float = 0.0) -> Tolerance:
    """Tolerance for a result computed in `dtype` against the reference's `expected`.

    Args:
        expected: the reference's value, any shape. Integers and truth values are compared exactly, whatever `dtype`.
        dtype: of the arrays that the student's code was given.
        scale: size of the terms that cancel in a result that is smaller than they are (the gradient of a batch
            norm over one row is 0 in theory and 1e-17 in practice). Adds at least 64 units of rounding of it to atol.

    Raises:
        ValueError: no tolerance has been measured for this dtype.
    """
    values = np.asarray(expected)
    if values.dtype.kind in "biu":
        return EXACT
    entry = _AGAINST_REFERENCE.get(np.dtype(dtype))
    if entry is None:
        known = ", ".join(str(each) for each in _AGAINST_REFERENCE)
        raise ValueError(f"no tolerance has been measured for {np.dtype(dtype)}; known: {known}")
    largest = float(np.max(np.abs(values), where=np.isfinite(values), initial=0.0))
    atol = max(entry.atol_share * largest, 64 * EPS * scale)
    return Tolerance(rtol=entry.rtol, atol=atol, reason=entry.reason)
