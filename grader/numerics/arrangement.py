"""The right numbers in the wrong places: exchanged axes, flips, shifts, another tensor, another order of reading."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np

from grader.numerics.claims import (
    MAX_SIZE,
    Array,
    Diagnosis,
    DiagnosisCode,
    Mismatch,
    axis_sets,
    close,
)
from grader.numerics.scale import is_named, times

__all__ = ["flipped", "permuted", "reordered", "shifted", "slices_permuted", "swapped", "transposed"]


def swapped(m: Mismatch) -> Iterator[Diagnosis]:
    """The true value of another tensor."""
    for name, other in m.context.others.items():
        if m.equals(np.asarray(other, dtype=np.float64)):
            yield Diagnosis(
                code=DiagnosisCode.SWAPPED,
                pattern=f"yours is the value of {name}",
                cause="the results are returned in another order, or one is computed in place of the other",
            )
            return


def transposed(m: Mismatch) -> Iterator[Diagnosis]:
    """The expected array with its axes in another order, perhaps times a factor that has a name."""
    shape = m.expected.shape
    if m.expected.ndim < 2 or m.expected.ndim > 4:
        return
    for order in list(permutations(range(len(shape))))[1:]:
        if tuple(shape[i] for i in order) != shape:
            continue
        value = m.multiple(m.expected.transpose(order))
        if value is None or not is_named(value, m) or np.count_nonzero(m.expected) < 2:
            continue
        moved = [i for i, j in enumerate(order) if i != j]
        what = (
            "the transpose of the expected one"
            if len(shape) == 2
            else f"the expected one with {m.axes(moved)} exchanged"
        )
        scaled = "" if abs(value - 1.0) <= 1e-6 else f"{times(value, m)} "
        yield Diagnosis(
            code=DiagnosisCode.TRANSPOSED,
            pattern=f"yours is {scaled}{what}",
            cause="a transpose is missing or one too many; the shapes agree because the axes have the same size",
        )
        return


def flipped(m: Mismatch) -> Iterator[Diagnosis]:
    """Reversed along some axes."""
    for axes in axis_sets(m.expected.ndim):
        if m.equals(np.flip(m.expected, axes)):
            kernel = m.expected.ndim >= 3 and axes == (m.expected.ndim - 2, m.expected.ndim - 1)
            yield Diagnosis(
                code=DiagnosisCode.FLIPPED,
                pattern=f"yours is the expected one reversed along {m.axes(axes)}",
                cause="the kernel is flipped once too often, or once too few" if kernel else None,
            )
            return


def shifted(m: Mismatch) -> Iterator[Diagnosis]:
    """Moved by one or two positions along one axis, or along the last two together; the border may be lost."""
    ndim = m.expected.ndim
    for by in (1, -1, 2, -2):
        moves = [(axis,) for axis in range(ndim)] + ([(ndim - 2, ndim - 1)] if ndim >= 3 else [])
        for axes in moves:
            if _is_shift(m, axes, by):
                direction = f"{abs(by)} position{'s' if abs(by) > 1 else ''} too {'far' if by > 0 else 'early'}"
                yield Diagnosis(
                    code=DiagnosisCode.SHIFTED,
                    pattern=f"every element stands {direction} along {m.axes(axes)}",
                    cause="an index or a slice starts at the wrong place",
                )
                return


def reordered(m: Mismatch) -> Iterator[Diagnosis]:
    """The same numbers read in another order: a reshape where a transpose is needed."""
    if not 2 <= m.expected.ndim <= 4 or m.expected.size > MAX_SIZE:
        return
    for order in list(permutations(range(m.expected.ndim)))[1:]:
        if tuple(m.expected.shape[i] for i in order) == m.expected.shape:
            continue  # that is a transpose
        forth = m.expected.transpose(order).reshape(m.expected.shape)
        back = m.expected.reshape(tuple(m.expected.shape[i] for i in order)).transpose(np.argsort(order))
        if m.equals(forth) or m.equals(back):
            yield Diagnosis(
                code=DiagnosisCode.RESHAPED,
                pattern="yours holds the expected elements in the order of other axes",
                cause="a reshape where a transpose is needed: reshape keeps the order of reading and moves no axis",
            )
            return


def slices_permuted(m: Mismatch) -> Iterator[Diagnosis]:
    """Whole slices along an axis in another order: gates, batch rows, channels."""
    for axis in range(m.expected.ndim):
        count = m.expected.shape[axis]
        if m.expected.ndim < 2 or count < 2 or m.expected.size > MAX_SIZE or m.expected.size < 2 * count:
            continue
        actual, expected = (np.moveaxis(a, axis, 0).reshape(count, -1) for a in (m.actual, m.expected))
        # Slices are matched by one projection each; the claim itself is then tested on every element.
        direction = np.random.default_rng(0).standard_normal(expected.shape[1])
        order = np.empty(count, dtype=np.intp)
        order[np.argsort(actual @ direction, kind="stable")] = np.argsort(expected @ direction, kind="stable")
        moved = int(np.count_nonzero(order != np.arange(count)))
        if moved and m.equals(np.take(m.expected, order, axis=axis)):
            found = f": {', '.join(map(str, order))}" if count <= 8 else ""
            pattern = f"the right slices along {m.axis(axis)} in another order{found}"
            yield Diagnosis(code=DiagnosisCode.PERMUTED, pattern=pattern)
            return


def permuted(m: Mismatch) -> Iterator[Diagnosis]:
    """The same values at other positions."""
    if not 3 <= m.expected.size <= MAX_SIZE or _distinct(m.expected) < 3:
        return
    actual, expected = np.sort(m.actual, axis=None), np.sort(m.expected, axis=None)
    if close(actual, expected, m.tolerance):
        wrong = int(m.wrong.sum())
        pattern = f"the same values in other places: {wrong} of {m.expected.size} elements are moved"
        yield Diagnosis(code=DiagnosisCode.PERMUTED, pattern=pattern)


def _is_shift(m: Mismatch, axes: tuple[int, ...], by: int) -> bool:
    if any(m.expected.shape[axis] <= 2 * abs(by) for axis in axes):
        return False
    moved = np.roll(m.expected, (by,) * len(axes), axes)
    if m.equals(moved):
        return True
    inner: list[slice] = [slice(None)] * m.expected.ndim
    for axis in axes:
        inner[axis] = slice(by, None) if by > 0 else slice(None, by)
    kept, source = m.actual[tuple(inner)], moved[tuple(inner)]
    if not close(kept, source, m.tolerance) or _distinct(source) < 3:
        return False
    return not close(kept, m.expected[tuple(inner)], m.tolerance)


def _distinct(values: Array) -> int:
    nonzero = values[values != 0]
    return int(np.unique(nonzero[:4096]).size)
