"""Errors that are a factor: one for the whole array, or one for each row, column or channel.

A factor is given a name only if the sizes of the case offer one: n, 1/n, their roots, a product of two axes or all
elements of the array or of dout. If several fit, all are named and no cause is drawn from any of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from math import ceil, log10, prod, sqrt

import numpy as np

from grader.numerics.claims import Array, Context, Diagnosis, DiagnosisCode, Mismatch, axis_sets, close, rms

__all__ = ["factor", "factor_per_slice", "is_named", "row_and_column_factors", "times", "update"]

_BATCH = "N"
_AVERAGED = "backward averages over the batch; the 1/N belongs to the loss and is already inside dout"


@dataclass(frozen=True, slots=True)
class _Name:
    """A number that the sizes of the case explain."""

    words: str
    """How many times the expected one: ``1/3 of``, ``3 times``."""
    reasons: tuple[str, ...]
    """``N = 3``, ``C = 3``; empty for 2 and 1/2, which need none."""
    axes: tuple[str, ...] = ()
    """Axis names of which the factor is 1/n or n, where it is just that."""
    inverse: bool = False
    """1/n."""
    unbiased: bool = False
    """(n - 1) / n, its inverse or a root of either."""


def factor(m: Mismatch) -> Iterator[Diagnosis]:
    """Every element is wrong by the same factor."""
    value = m.multiple(m.expected)
    if value is None:
        return
    name = _name(value, m.context, m.expected.shape)
    if name is None and np.count_nonzero(m.expected) < 2:
        return
    if abs(value + 1.0) <= 1e-6:
        pattern = "every element has the right size and the opposite sign"
        yield Diagnosis(code=DiagnosisCode.SIGN, pattern=pattern, cause="a minus sign is missing or one too many")
        return
    averaged = _mean_for_sum(m)
    yield Diagnosis(
        code=DiagnosisCode.MEAN_FOR_SUM if averaged else DiagnosisCode.FACTOR,
        pattern=f"every element is {times(value, m)} the expected one{_because(name)}",
        cause=averaged or _cause(name, m),
    )


def update(m: Mismatch) -> Iterator[Diagnosis]:
    """A step from an input to a result, in the wrong direction or of the wrong length: p - lr g."""
    if not m.context.forward:
        return
    for label, start in m.inputs.items():
        if start.shape != m.expected.shape or not np.any(start) or m.expected.size < 2:
            continue
        if m.equals(start):
            yield Diagnosis(code=DiagnosisCode.FORMULA, pattern=f"yours is {label}, unchanged")
            return
        step = m.within(m.actual - start, m.expected - start, m.context.name)
        value = step.multiple(step.expected)
        if value is None:
            continue
        if abs(value + 1.0) <= 1e-6:
            pattern = f"the step from {label} to yours is the expected step with the opposite sign"
            cause = "the update is added where it must be subtracted"
            yield Diagnosis(code=DiagnosisCode.SIGN, pattern=pattern, cause=cause)
        else:
            pattern = f"the step from {label} to yours is {times(value, m)} the expected step"
            yield Diagnosis(code=DiagnosisCode.FACTOR, pattern=pattern)
        return


def factor_per_slice(m: Mismatch) -> Iterator[Diagnosis]:
    """One factor for each index of an axis: a forgotten gamma, standard deviation or count."""
    for axis in range(m.expected.ndim):
        rest = tuple(i for i in range(m.expected.ndim) if i != axis)
        slices = m.expected.shape[axis]
        if not rest or slices < 2 or np.count_nonzero(m.expected) < max(2 * slices, slices + 2):
            continue
        factors = _fit_slices(m, rest)
        if not m.equals(factors * m.expected):
            continue
        values = factors.reshape(slices)
        known, cause = _known_factor(values, m, axis)
        shown = ", ".join(f"{v:.4g}" for v in values[:4]) + (", ..." if slices > 4 else "")
        pattern = f"one factor for each index of {m.axis(axis)}: {known or shown}"
        yield Diagnosis(code=DiagnosisCode.FACTOR_PER_SLICE, pattern=pattern, cause=cause)
        return


def row_and_column_factors(m: Mismatch) -> Iterator[Diagnosis]:
    """The quotient of the two is a number for the row times a number for the column: normalised over the wrong axis."""
    if m.expected.ndim != 2 or min(m.expected.shape) < 3 or not m.expected.all() or not m.actual.all():
        return
    quotient = m.actual / m.expected
    if m.equals(m.expected * quotient[:, :1] * quotient[:1] / quotient[0, 0]):
        pattern = f"each element is wrong by a factor of its index on {m.axis(0)} times one of its index on {m.axis(1)}"
        yield Diagnosis(code=DiagnosisCode.FACTOR_PER_SLICE, pattern=pattern)


def times(value: float, m: Mismatch) -> str:
    """A factor in words that end before "the expected one": ``1/3 of``, ``3 times``, ``0.37 times``."""
    name = _name(value, m.context, m.expected.shape)
    if name is not None:
        return name.words
    # 1.0001 must not read as 1: two digits of the difference from 1 at least.
    digits = 6 if abs(value - 1.0) >= 1e-4 else ceil(-log10(abs(value - 1.0) or 1.0)) + 2
    return f"{value:.{min(digits, 16)}g} times"


def is_named(value: float, m: Mismatch) -> bool:
    """Whether a factor is 1, -1 or one that the sizes explain."""
    return abs(abs(value) - 1.0) <= 1e-6 or _name(value, m.context, m.expected.shape) is not None


def _name(value: float, context: Context, shape: tuple[int, ...]) -> _Name | None:
    if abs(value + 1.0) <= 1e-6:
        return _Name("-1 times", ())
    sign, size = ("-" if value < 0 else ""), abs(value)
    numbers = _numbers(context, shape)
    for inverse in (False, True):
        target = 1.0 / size if inverse else size
        hits = {words: number for words, number in numbers.items() if abs(number - target) <= 1e-6 * number}
        plain = abs(target - 2.0) <= 2e-6
        if hits or plain:
            shown = round(target * target) if not _whole(target) else round(target)
            text = f"{shown}" if _whole(target) else f"sqrt({shown})"
            reasons = tuple(f"{words} = {text}" for words in hits)
            words = f"{sign}1/{text} of" if inverse else f"{sign}{text} times"
            return _Name(words, reasons, tuple(h for h in hits if h in context.sizes and not plain), inverse)
    return _unbiased(value, context) if prod(shape) > 1 else None  # one number has a ratio to any other


def _numbers(context: Context, shape: tuple[int, ...]) -> Mapping[str, float]:
    """Numbers above 1 that a factor may be, by name."""
    sizes = {name: size for name, size in context.sizes.items() if size > 1}
    numbers: dict[str, float] = dict(sizes)
    numbers |= {f"{a} * {b}": sizes[a] * sizes[b] for a, b in combinations(sizes, 2)}
    for axes in (context.axes, context.upstream_axes, tuple(set(context.upstream_axes) - set(context.axes))):
        names = [name for name in sizes if name in axes]
        if len(names) > 2:
            numbers[" * ".join(names)] = prod(sizes[name] for name in names)
    if prod(shape) > 1 and not context.axes:
        numbers[f"the number of elements of {context.name}"] = prod(shape)
    roots = {f"sqrt({name})": sqrt(size) for name, size in sizes.items()}
    return numbers | {name: root for name, root in roots.items() if not _whole(root)}


def _unbiased(value: float, context: Context) -> _Name | None:
    """(n - 1) / n, its inverse, or a root of either: the two definitions of a variance."""
    for n in sorted({size for size in context.sizes.values() if size > 3}):  # 1/2 and 2/3 have many origins
        for root in (False, True):
            ratio = sqrt((n - 1) / n) if root else (n - 1) / n
            for inverse in (False, True):
                if abs(value - (1.0 / ratio if inverse else ratio)) <= 1e-6:
                    quotient = f"{n}/{n - 1}" if inverse else f"{n - 1}/{n}"
                    names = tuple(name for name, size in context.sizes.items() if size == n)
                    words = f"sqrt({quotient}) times" if root else f"{quotient} of"
                    return _Name(words, tuple(f"{name} = {n}" for name in names), names, inverse, True)
    return None


def _whole(number: float) -> bool:
    return abs(number - round(number)) <= 1e-6 * number


def _because(name: _Name | None) -> str:
    return f", and {' or '.join(name.reasons)}" if name and name.reasons else ""


def _cause(name: _Name | None, m: Mismatch) -> str | None:
    """The likely cause of a factor: only where one single axis explains it."""
    if name is None or len(name.reasons) != 1 or not name.axes:
        return None
    if name.unbiased:
        return "the unbiased variance (ddof = 1, torch's default) and the one over n (NumPy's default) are exchanged"
    if m.context.forward or name.axes != (_BATCH,) or "-" in name.words:
        return None
    of_loss = m.context.upstream is None and _BATCH in m.context.axes
    if name.inverse:
        return "the 1/N of the mean loss is applied twice" if of_loss else _AVERAGED
    return "the loss is a mean over the batch: its gradient has a factor 1/N" if of_loss else None


def _mean_for_sum(m: Mismatch) -> str | None:
    """dout.mean over several axes for dout.sum. Over the batch alone it is told as an average over the batch."""
    dout = m.upstream
    if dout is None or dout.ndim <= m.expected.ndim:
        return None
    for over in axis_sets(dout.ndim):
        batch_only = len(over) == 1 and m.context.upstream_axes[over[0] : over[0] + 1] == (_BATCH,)
        mean = dout.mean(axis=over)
        if batch_only or not m.equals(mean):
            continue
        if close(dout.sum(axis=over), m.expected, m.tolerance):
            where = over[0] if len(over) == 1 else over
            return f"dout.mean(axis={where}) where dout.sum(axis={where}) is needed"
    return None


def _fit_slices(m: Mismatch, rest: tuple[int, ...]) -> Array:
    """Least-squares factor of each slice, 1 where the expected slice is zero."""
    top = np.abs(m.expected).max(axis=rest, keepdims=True)
    unit = m.expected / np.where(top == 0, 1.0, top)
    squares = np.sum(unit * unit, axis=rest, keepdims=True)
    overlap = np.sum(m.actual / np.where(top == 0, 1.0, top) * unit, axis=rest, keepdims=True)
    factors: Array = np.where(squares == 0, 1.0, overlap / np.where(squares == 0, 1.0, squares))
    return factors


def _known_factor(values: Array, m: Mismatch, axis: int) -> tuple[str, str | None]:
    """The vector of factors as a function of an input: the input, its inverse, its standard deviation."""
    with np.errstate(all="ignore"):
        inverse = 1.0 / values
    for name, array in m.inputs.items():
        if array.shape == values.shape and rms(array - array.mean()) > 1e-3 * rms(array):
            for vector, words, verb in (
                (values, name, "is multiplied in twice"),
                (inverse, f"1 / {name}", "is left out"),
            ):
                if close(vector, array, 10 * m.tolerance):
                    return words, f"{name} {verb}"
        if array.shape == m.expected.shape and array.ndim > 1:
            rest = tuple(i for i in range(array.ndim) if i != axis)
            variance = array.var(axis=rest)
            for vector, words in ((values, "the standard deviation"), (inverse, "1 / the standard deviation")):
                epsilon = vector * vector - variance
                if np.ptp(epsilon) <= 1e-6 * rms(variance) and 0.0 <= epsilon.mean() + 1e-9 <= 0.1 * rms(variance):
                    verb = "missing" if vector is values else "applied twice, or the variance used for its root"
                    words = f"{words} of {name} (with an epsilon of {abs(epsilon.mean()):.1g})"
                    return words, f"the division by the standard deviation is {verb}"
    return "", None
