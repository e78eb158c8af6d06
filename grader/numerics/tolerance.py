"""How far a right result may lie from the expected one: one table, each entry with its reason.

A tolerance is a value. It is derived from the expected result and the dtype that the student's code worked in,
never from the student's result, so a wrong result can't loosen it.

The rule (comparison.py) is |actual - expected| <= atol + rtol * |expected| on each element. `rtol` covers elements
of ordinary size; `atol` is a share of the largest element of that tensor and covers those that are small because
larger terms cancelled in them, where rounding is no longer small against the element itself.

Only dtypes whose entry has been measured are in the table; asking for another is an error, not a guess.

With fewer digits than float64 no table fits: how far right results of a layer lie from the exact one depends on the
layer. There a tolerance is measured (Slack): 16 times the largest of what torch itself errs by in that precision, what
rounding the inputs once changes, and one unit of rounding, each against the largest element and in the 2-norm. Of 1,000
right tensors the worst erred by 3.8 of these units, and a result that is off by 1e-4 of itself has about 100.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

__all__ = ["EXACT", "Slack", "Tolerance", "slack_of", "tolerance_for", "tolerance_of"]

EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """Allowed error of an element: atol + rtol * |expected|, and why that much."""

    rtol: float
    atol: float
    reason: str
    norm: float = math.inf
    """Allowed 2-norm of all errors together."""
    dtype: str = ""
    """What an array must be of, where another with the same numbers is wrong too."""

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
    atol_share_deep: float
    """The same of a gradient that came through several layers, in each of which something cancels."""
    reason: str


_AGAINST_REFERENCE: dict[np.dtype[Any], _Entry] = {
    np.dtype(np.float64): _Entry(
        rtol=1e-9,
        atol_share=1e-10,
        # In the gradient of a transformer block's queries right code erred by 2.6e-10 of the largest element: p - p**2
        # loses digits where p is nearly 1.
        atol_share_deep=1e-9,
        reason="float64: right code errs by 1e-16 to 1e-12, nothing right was seen between 1e-9 and 1e-6",
    ),
}
"""A student's result against the float64 torch reference, by the dtype that the student's code was given."""


def tolerance_for(expected: ArrayLike, dtype: DTypeLike, *, scale: float = 0.0, deep: bool = False) -> Tolerance:
    """Tolerance for a result computed in `dtype` against the reference's `expected`.

    Args:
        expected: the reference's value, any shape. Integers and truth values are compared exactly, whatever `dtype`.
        dtype: of the arrays that the student's code was given.
        scale: size of the terms that cancel in a result that is smaller than they are (the gradient of a batch
            norm over one row is 0 in theory and 1e-17 in practice). Adds at least 64 units of rounding of it to atol.
        deep: whether it is a gradient that came through several layers.

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
    share = entry.atol_share_deep if deep and values.size > 1 else entry.atol_share
    atol = max(share * largest, 64 * EPS * scale)
    return Tolerance(rtol=entry.rtol, atol=atol, reason=entry.reason)


_FACTOR = 16.0
"""Of what torch errs by that anybody may err by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """What a result errs by where it is computed with fewer digits: by its largest element, and in the 2-norm."""

    largest: float
    norm: float
    unit: float
    """Of rounding."""
    dtype: str


def slack_of(expected: ArrayLike, others: Sequence[ArrayLike], *, unit: float, dtype: str) -> Slack | None:
    """How far results may lie from an expected array because of the digits alone.

    Args:
        expected: the exact value.
        others: torch's own result in this precision, and exact ones of inputs that are off by a unit of rounding.
        unit: of rounding.
        dtype: of the arrays.

    Returns:
        None where one of the others is not finite and the expected value is: with these digits it can't be computed.
    """
    wanted = np.asarray(expected, dtype=np.float64)
    finite = np.isfinite(wanted)
    size = np.where(finite, wanted, 0.0)
    largest, norm = unit * _largest(size), unit * float(np.linalg.norm(size))
    for other in others:
        found = np.asarray(other, dtype=np.float64)
        if not np.all(np.isfinite(found[finite])):
            return None
        error = np.where(finite, found - size, 0.0)
        largest, norm = max(largest, _largest(error)), max(norm, float(np.linalg.norm(error)))
    return Slack(largest=largest, norm=norm, unit=unit, dtype=dtype)


def tolerance_of(expected: ArrayLike, slack: Slack, *, scale: float = 0.0) -> Tolerance:
    """Tolerance for a result computed with fewer digits than float64; `scale` as in tolerance_for."""
    values = np.asarray(expected)
    if values.dtype.kind in "biu":
        return EXACT
    floor = 64 * 2 * slack.unit * scale
    return Tolerance(
        rtol=0.0,
        atol=max(_FACTOR * slack.largest, floor),
        norm=max(_FACTOR * slack.norm, floor * math.sqrt(values.size)),
        dtype=slack.dtype,
        reason=f"{slack.dtype}: {_FACTOR:g} times what torch errs by, or rounding the inputs changes",
    )


def _largest(values: Any) -> float:
    return float(np.max(np.abs(values), initial=0.0))
