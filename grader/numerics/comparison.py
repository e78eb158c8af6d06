"""The one comparison rule: |actual - expected| <= atol + rtol * |expected|, on every element.

`expected` is always the reference. The order is shape, then kind of number, then values, and the first that differs
is the reason: a result of the wrong shape is never stretched to fit, because broadcasting makes wrong code look
right (an unreduced bias gradient of shape (N, M) against one of shape (M,)). The rule is written
~(error <= allowed), so a NaN fails. Infinities are right where they are equal. Comparing nothing is not a pass: it
is a state of its own, and whoever asked decides whose fault it is.

The dtype is judged by what it did. Integers, float32 or float16 with the right values pass; where the values
miss the tolerance by no more than such a dtype loses, the reason says so. Complex numbers and objects never pass. A
tolerance that names a dtype asks for it: an array of right numbers that has become wider on the way is not right, for
half of its digits were never in what went in, and it takes twice the memory and, on a GPU, many times as long. A number
alone may be of any.

A tolerance may also bound the errors together, in the 2-norm. Where that alone is passed, the elements are wrong that
err by more than the root mean square of what is allowed.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from grader.numerics.errormap import ErrorMap, error_map
from grader.numerics.tolerance import Tolerance

__all__ = ["Comparison", "Reason", "compare"]


class Reason(enum.Enum):
    """Why a comparison ended as it did; the value is the wording."""

    EQUAL = "equal within the tolerance"
    NOT_AN_ARRAY = "not an array or a number"
    SHAPE = "another shape"
    DTYPE = "not real numbers"
    EMPTY = "no elements to compare"
    NOT_FINITE = "NaN or infinite where the expected value is not"
    PRECISION = "right but for the precision of its dtype"
    WIDER = "right but for a dtype that is wider than what went in"
    VALUES = "other values"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Evidence of one comparison. The fields after `tolerance` are None where no values were compared."""

    reason: Reason
    actual_shape: tuple[int, ...] | None
    """None if the result is neither an array nor a number."""
    expected_shape: tuple[int, ...]
    actual_dtype: str
    """Name of the dtype, or of the Python type if the result is neither an array nor a number."""
    expected_dtype: str
    size: int
    """Number of elements expected."""
    tolerance: Tolerance
    wrong: int | None = None
    """Number of elements outside the tolerance."""
    worst: tuple[int, ...] | None = None
    """Index of the element with the largest error / allowed; () for a number."""
    actual: float | None = None
    expected: float | None = None
    error: float | None = None
    allowed: float | None = None
    errors: ErrorMap | None = None
    """Where it is wrong, if it is."""

    @property
    def passed(self) -> bool:
        """Whether every element agrees, and there is at least one."""
        return self.reason is Reason.EQUAL


def compare(actual: Any, expected: ArrayLike, tolerance: Tolerance) -> Comparison:
    """Compare one result with the reference's, element by element in float64.

    Args:
        actual: array or Python number of the student. Anything else (None, a list, text) is NOT_AN_ARRAY; a number
            or an array of shape () is accepted where shape () is expected, an array of shape (1,) is not.
        expected: the reference's array or number. NaN in it never passes.
        tolerance: see tolerance_for.
    """
    wanted = np.asarray(expected)
    found = _array(actual)
    reason = _reason_not_to_look(found, wanted)
    evidence = _look(found, wanted, tolerance) if reason is None and found is not None else {"reason": reason}
    return Comparison(
        actual_shape=None if found is None else found.shape,
        expected_shape=wanted.shape,
        actual_dtype=type(actual).__name__ if found is None else _dtype_name(found.dtype),
        expected_dtype=_dtype_name(wanted.dtype),
        size=wanted.size,
        tolerance=tolerance,
        **evidence,
    )


@lru_cache(maxsize=64)
def _dtype_name(dtype: np.dtype[Any]) -> str:
    return str(dtype)


def _array(value: Any) -> NDArray[Any] | None:
    if isinstance(value, (bool, int, float, complex, np.ndarray, np.generic)):
        return np.asarray(value)
    return None


def _reason_not_to_look(found: NDArray[Any] | None, wanted: NDArray[Any]) -> Reason | None:
    if found is None:
        return Reason.NOT_AN_ARRAY
    if found.shape != wanted.shape:
        return Reason.SHAPE
    if found.dtype.kind not in "biuf":
        return Reason.DTYPE
    if wanted.size == 0:
        return Reason.EMPTY
    return None


def _look(found: NDArray[Any], wanted: NDArray[Any], tolerance: Tolerance) -> dict[str, Any]:
    actual, expected = found.astype(np.float64), wanted.astype(np.float64)
    with np.errstate(all="ignore"):
        error = np.abs(actual - expected)
        allowed = tolerance.atol + tolerance.rtol * np.abs(expected)
        if not np.isfinite(error).all():
            # Equal infinities don't differ. An infinite expected value would allow any error: only equality counts.
            error = np.where(actual == expected, 0.0, error)
            allowed = np.where(np.isfinite(expected), allowed, 0.0)
        if np.linalg.norm(error) > tolerance.norm:
            allowed = np.minimum(allowed, tolerance.norm / np.sqrt(error.size))
        wrong = ~(error <= allowed)
        worst = _worst(error, allowed)
    return {
        "reason": _verdict(found, actual, expected, error, wrong, tolerance.dtype),
        "wrong": int(np.count_nonzero(wrong)),
        "worst": worst,
        "actual": float(actual[worst]),
        "expected": float(expected[worst]),
        "error": float(error[worst]),
        "allowed": float(allowed[worst]),
        "errors": error_map(error, allowed) if wrong.any() else None,
    }


def _worst(error: NDArray[np.float64], allowed: NDArray[np.float64]) -> tuple[int, ...]:
    """Index of the largest error / allowed; the largest error among equals, as where nothing is allowed."""
    if not error.any():
        return (0,) * error.ndim
    size = np.where(np.isnan(error), np.inf, error)
    ratio = np.where(size > 0.0, size / allowed, 0.0)
    largest = np.where(ratio == ratio.max(), size, -1.0)
    return tuple(map(int, np.unravel_index(largest.argmax(), error.shape)))


def _verdict(
    found: NDArray[Any],
    actual: NDArray[np.float64],
    expected: NDArray[np.float64],
    error: NDArray[np.float64],
    wrong: NDArray[np.bool_],
    dtype: str,
) -> Reason:
    if not wrong.any():
        wider = dtype and found.ndim and found.dtype.kind == "f" and found.dtype.itemsize > np.dtype(dtype).itemsize
        return Reason.WIDER if wider else Reason.EQUAL
    if np.any(wrong & ~np.isfinite(actual)):
        return Reason.NOT_FINITE
    as_asked = dtype and found.dtype.itemsize >= np.dtype(dtype).itemsize
    if not as_asked and np.all(error < _lost_by(found.dtype, expected)):
        return Reason.PRECISION
    return Reason.VALUES


def _lost_by(dtype: np.dtype[Any], expected: NDArray[np.float64]) -> float:
    """Largest error that may be blamed on a dtype coarser than float64: the fraction, or half of its digits."""
    if dtype.kind in "biu":
        return 1.0 if np.any(expected != np.round(expected)) else 0.0
    resolution = float(np.finfo(dtype).eps)
    if resolution <= np.finfo(np.float64).eps:
        return 0.0
    return float(np.sqrt(resolution) * np.max(np.abs(expected), where=np.isfinite(expected), initial=0.0))
