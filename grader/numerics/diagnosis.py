"""What kind of mistake a wrong array shows: the pattern of its error and, where that is known, the likely cause.

`diagnose` compares a student's array with the true one. It works through stages, from the structure (nothing returned,
the shape, the type) over claims that explain the whole array by one rule (a factor, a transpose, another formula) to
claims about the error alone (a missing term, a low rank). The first stage with a claim ends the search, and within
a stage the more specific recogniser comes first. A claim is made only if it holds on every element; where
none does, the answer is UNKNOWN with the size of the error, and no cause is invented.

Cost: a few hundred passes over the array at most; singular values, sorting and least squares only up to a size.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.numerics import arrangement, convolutions, formulas, norms, scale, structure, support, terms
from grader.numerics.claims import (
    Array,
    Context,
    Diagnosis,
    DiagnosisCode,
    Mismatch,
    Recogniser,
    close,
    rms,
)

__all__ = ["Context", "Diagnosis", "DiagnosisCode", "diagnose"]

_ROUNDING = 1e-10
"""Right code errs by 1e-16 to 1e-12 in float64; below this there is nothing to diagnose."""
_SIGNIFICANT = 1e-4
"""Arrays whose precision gives a tolerance above this (float16) are too coarse for claims about values."""

_STAGES: tuple[tuple[Recogniser, ...], ...] = (
    (scale.factor,),
    (support.mask_of_upstream, support.mask_missing, support.mask_inverted, support.rectified),
    (scale.update,),
    (terms.multiple_of_input, support.one_per_slice),
    (
        arrangement.swapped,
        arrangement.transposed,
        arrangement.flipped,
        arrangement.reordered,
        arrangement.shifted,
        arrangement.slices_permuted,
        norms.norm_forward,
        convolutions.convolution,
        formulas.formula,
        support.overwritten,
        support.spread_evenly,
    ),
    (support.dropped,),
    (support.local,),
    (scale.factor_per_slice, terms.wrong_total, scale.row_and_column_factors),
    (terms.constant, terms.reduced, norms.norm_backward),
    (terms.constant_along, terms.lost_row),
    (formulas.wrong_factor,),
    (terms.spanned_by_input,),
    (terms.low_rank,),
    (arrangement.permuted,),
)


def diagnose(actual: Any, expected: np.ndarray, context: Context) -> tuple[Diagnosis, ...]:
    """Claims about what is wrong with `actual`, the most specific first; empty if it equals `expected`.

    Args:
        actual: whatever the student's function returned for this tensor. Never makes this function raise.
        expected: the true array, finite, of a floating type.
        context: the names, sizes and arrays that claims may refer to.
    """
    true = np.asarray(expected)
    with np.errstate(all="ignore"):
        target = true.astype(np.float64)
        given = structure.as_numbers(actual)
        if given is None:
            return (structure.not_an_array(actual, target),)
        return tuple(_of_numbers(given, true, target, context))


def _of_numbers(given: NDArray[Any], true: NDArray[Any], target: Array, context: Context) -> Iterator[Diagnosis]:
    """Claims about an array of numbers: its type, its shape, then its values."""
    yield from structure.wrong_dtype(given, true)
    values = given.real.astype(np.float64)
    tolerance = _tolerance(given, true, values)
    if values.shape != target.shape:
        yield from structure.wrong_shape(values, target, context, tolerance)
        if values.size != target.size or values.squeeze().shape != target.squeeze().shape:
            return
        values = values.reshape(target.shape)
    bad = list(structure.not_finite(values, target, context, tolerance))
    yield from bad
    if bad or not target.size or not np.isfinite(target).all():
        return
    if given.dtype.kind == "c" and np.any(given.imag):
        return
    relative = rms(values - target) / (rms(target) or 1.0)
    tolerance = max(1e-12, min(tolerance, 1e-3 * relative))
    yield from _of_values(Mismatch(actual=values, expected=target, context=context, tolerance=tolerance), given, true)


def _of_values(m: Mismatch, given: NDArray[Any], true: NDArray[Any]) -> Iterator[Diagnosis]:
    """Claims about values of the right shape."""
    exact = max([_ROUNDING, *(8 * float(np.finfo(a.dtype).eps) for a in (given, true) if a.dtype.kind in "fc")])
    if close(m.actual, m.expected, exact) or support.at_a_kink(m):
        return
    if not np.any(m.actual):
        yield Diagnosis(code=DiagnosisCode.ALL_ZERO, pattern="every element of yours is 0, the expected ones are not")
        return
    coarse = _grid(given, m.actual, m.expected)
    if coarse is not None and rms(m.error) <= 32 * float(np.finfo(coarse).eps) * rms(m.expected):
        yield Diagnosis(
            code=DiagnosisCode.FLOAT32,
            pattern=f"every element is a {coarse} number, and they are right to {coarse} accuracy",
            cause=f"something is computed or stored in {coarse}: a dtype, a cast, zeros made by torch without a dtype",
        )
        return
    if _by_a_rounded_factor(m):
        yield Diagnosis(
            code=DiagnosisCode.FLOAT32,
            pattern="every element is off by the same share of itself, less than float32 rounds by",
            cause="a factor is float32: in torch a mask divided by a number is one, so make it x.dtype before",
        )
        return
    found: list[Diagnosis] = []
    if m.tolerance <= _SIGNIFICANT and np.isfinite(rms(m.error)):
        found = next(filter(None, ([one for part in stage for one in _claims(part, m)] for stage in _STAGES)), [])
    yield from found or [_unknown(m)]


def _by_a_rounded_factor(m: Mismatch) -> bool:
    """Whether all elements that are not zero, and there are several, differ by one factor: 1, as float32 rounds it."""
    there = m.expected != 0
    if np.count_nonzero(there) < 2 or np.any(m.actual[~there]):
        return False
    share = m.error[there] / m.expected[there]
    unit = float(np.finfo(np.float32).eps) / 2
    return bool(np.ptp(share) <= 8 * float(np.finfo(np.float64).eps) and unit / 16 <= abs(share[0]) <= 2 * unit)


def _claims(part: Recogniser, m: Mismatch) -> list[Diagnosis]:
    """The claims of one recogniser; none where its linear algebra fails, for instance on an infinite input."""
    try:
        return list(part(m))
    except np.linalg.LinAlgError:
        return []


def _unknown(m: Mismatch) -> Diagnosis:
    """The size of the error, and nothing more."""
    size = rms(m.expected)
    share = f"{int(m.wrong.sum())} of {m.expected.size} elements differ"
    relative = f", relative error {rms(m.error) / size:.2g}" if size else "; every expected element is 0"
    return Diagnosis(code=DiagnosisCode.UNKNOWN, pattern=share + relative)


def _tolerance(given: NDArray[Any], true: NDArray[Any], values: Array) -> float:
    """Relative tolerance of a claim: 1e-7, or what the coarser type (or float32 inside float64) leaves."""
    types = [a.dtype for a in (given, true) if a.dtype.kind in "fc"]
    # Numbers on the float16 grid are more often plain numbers (0, 1, 0.5) than rounded ones: they loosen nothing.
    if _grid(given, values, true.astype(np.float64)) == np.float32:
        types.append(np.dtype(np.float32))
    epsilons = [float(np.finfo(kind).eps) for kind in types]
    return max([1e-7, *(32 * epsilon for epsilon in epsilons)])


def _grid(given: NDArray[Any], values: Array, expected: Array) -> np.dtype[Any] | None:
    """The coarser type whose numbers all of the student's elements are, and the expected ones are not; None if none.

    Plain numbers (1.5, -0.25) are of every type, and say nothing: a rounded one has digits to the end of its type.
    """
    if given.dtype.kind != "f" or given.dtype.itemsize < 8 or not np.any(values):
        return None
    for kind, digits in ((np.float16, 8), (np.float32, 11)):
        if np.array_equal(values.astype(kind), values) and not np.array_equal(expected.astype(kind), expected):
            scaled = np.ldexp(np.frexp(values)[0], digits)
            return None if np.array_equal(np.trunc(scaled), scaled) else np.dtype(kind)
    return None
