"""Errors that are a term: a multiple of an input, constant along an axis, spanned by a few vectors, of low rank."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from math import prod

import numpy as np

from grader.numerics.claims import (
    MAX_SIZE,
    Array,
    Diagnosis,
    DiagnosisCode,
    Mismatch,
    axis_sets,
    close,
    fitted,
    rms,
)

__all__ = [
    "constant",
    "constant_along",
    "lost_row",
    "low_rank",
    "multiple_of_input",
    "reduced",
    "spanned",
    "spanned_by_input",
    "wrong_total",
]

_MAX_RANK_SIDE = 512


def multiple_of_input(m: Mismatch) -> Iterator[Diagnosis]:
    """The difference is a number times an input: regularisation, or a bias that is not added."""
    error = m.error
    for name, x in m.inputs.items():
        same = x.shape == error.shape
        vector = x.ndim == 1 and error.ndim >= 2 and m.context.forward
        spread = vector and x.shape == error.shape[-1:]
        channels = vector and error.ndim > 2 and x.shape == error.shape[1:2]
        if not (same or spread or channels) or np.count_nonzero(x) < 2:
            continue
        bias = x if same or spread else x.reshape(-1, *([1] * (error.ndim - 2)))
        term = np.broadcast_to(bias, error.shape)
        value = fitted(error, term)
        if value is None or not m.small(error - value * term):
            continue
        yield _input_term(m, name, value)
        return


def _input_term(m: Mismatch, name: str, value: float) -> Diagnosis:
    number = "" if abs(abs(value) - 1) <= 1e-6 else f"{abs(value):.6g} * "
    pattern = f"yours is the expected one {'plus' if value > 0 else 'minus'} {number}{name}"
    if m.context.forward:
        verb = {1: f"{name} is added once too often", -1: f"{name} is not added"}.get(round(value))
        cause = verb if not number else None
        return Diagnosis(code=DiagnosisCode.MISSING_TERM, pattern=pattern, cause=cause)
    if not _is_gradient_of(m.context.name, name):
        return Diagnosis(code=DiagnosisCode.MISSING_TERM, pattern=pattern)
    what = f"the gradient of a regularisation, {number}{name},"
    cause = f"{what} is too much" if value > 0 else f"{what} is missing"
    return Diagnosis(code=DiagnosisCode.REGULARISATION, pattern=pattern, cause=cause)


def constant(m: Mismatch) -> Iterator[Diagnosis]:
    """The student's array, or the difference, is one number everywhere."""
    if m.expected.size < 3 or np.ptp(m.expected) <= 1e-3 * rms(m.expected):
        return
    if np.ptp(m.actual) <= m.tolerance * rms(m.actual):
        value = np.array(float(m.actual.flat[0]))
        for word, total in (("sum", m.expected.sum()), ("mean", m.expected.mean())):
            if close(value, np.array(total), m.tolerance):
                pattern = f"every element of yours is the {word} of the expected elements"
                cause = "it is reduced over every axis"
                yield Diagnosis(code=DiagnosisCode.WRONG_REDUCTION, pattern=pattern, cause=cause)
                return
        pattern = f"every element of yours is {float(value):.6g}; the expected ones differ"
        yield Diagnosis(code=DiagnosisCode.CONSTANT, pattern=pattern)
    elif m.small(m.error - m.error.flat[0]):
        pattern = f"every element is off by the same number, {float(m.error.flat[0]):+.6g}"
        yield Diagnosis(code=DiagnosisCode.MISSING_TERM, pattern=pattern)


def reduced(m: Mismatch) -> Iterator[Diagnosis]:
    """Constant along some axes: the expected one reduced over them, or something else that is."""
    shape = m.expected.shape
    for over in axis_sets(m.expected.ndim, proper=True):
        if all(shape[axis] == 1 for axis in over) or m.expected.size < 4:
            continue
        flat = np.ptp(m.actual, axis=over, keepdims=True) <= m.tolerance * rms(m.actual)
        varies = np.ptp(m.expected, axis=over) > 1e-3 * rms(m.expected)
        if not flat.all() or not varies.any():
            continue
        for word, reduce in (("sum", np.sum), ("mean", np.mean)):
            if m.equals(np.broadcast_to(reduce(m.expected, axis=over, keepdims=True), shape)):
                pattern = f"yours is the {word} of the expected one over {m.axes(over)}, repeated"
                cause = f"the {word} over {m.axes(over)} is one too many"
                yield Diagnosis(code=DiagnosisCode.WRONG_REDUCTION, pattern=pattern, cause=cause)
                return
        pattern = f"yours is constant along {m.axes(over)}, the expected one is not"
        yield Diagnosis(code=DiagnosisCode.CONSTANT, pattern=pattern)
        return


def constant_along(m: Mismatch) -> Iterator[Diagnosis]:
    """The difference is constant along some axes, not everywhere: a missing mean or sum."""
    error = m.error
    for over in reversed(axis_sets(error.ndim, proper=True)):
        if any(error.shape[axis] == 1 for axis in over) or error.size < 4:
            continue
        first = error[tuple(slice(0, 1) if axis in over else slice(None) for axis in range(error.ndim))]
        if m.small(error - first):
            pattern = f"the difference is constant along {m.axes(over)}"
            cause = (
                None if m.context.forward else f"a term that is a sum or mean over {m.axes(over)} is missing or wrong"
            )
            yield Diagnosis(code=DiagnosisCode.MISSING_TERM, pattern=pattern, cause=cause)
            return


def wrong_total(m: Mismatch) -> Iterator[Diagnosis]:
    """The expected slices sum to 0 (or 1) along one axis and the student's along another: normalised over that one."""
    if m.expected.ndim < 2 or min(m.expected.shape) < 2:
        return
    for total in (0.0, 1.0):
        right = [axis for axis in range(m.expected.ndim) if _sums_to(m.expected, axis, total)]
        yours = [axis for axis in range(m.expected.ndim) if _sums_to(m.actual, axis, total)]
        if len(right) == 1 and len(yours) == 1 and right != yours:
            a, b = m.axis(yours[0]), m.axis(right[0])
            pattern = f"yours sums to {total:.0f} along {a}, the expected one along {b}"
            cause = f"normalised over {a} where it must be {b}"
            yield Diagnosis(code=DiagnosisCode.WRONG_REDUCTION, pattern=pattern, cause=cause)
            return


def spanned_by_input(m: Mismatch) -> Iterator[Diagnosis]:
    """In every slice the difference is a combination of a constant, an input and the expected values."""
    if m.expected.size > MAX_SIZE or m.expected.ndim < 1:
        return
    ones = np.ones_like(m.expected)
    vectors = {"a constant": ones, "the expected values": m.expected}
    vectors |= {name: x for name, x in m.inputs.items() if x.shape == m.expected.shape}
    for count in (1, 2, 3):
        for chosen in combinations(vectors, count):
            for over in reversed(axis_sets(m.expected.ndim)):
                if spanned(m, m.error, [vectors[name] for name in chosen], over):
                    words = " and ".join((", ".join(chosen[:-1]), chosen[-1]) if count > 1 else chosen)
                    pattern = f"over {m.axes(over)} the difference is a combination of {words}"
                    cause = "a term of the normalisation is missing or wrong" if _normal_form(m, chosen) else None
                    yield Diagnosis(code=DiagnosisCode.MISSING_TERM, pattern=pattern, cause=cause)
                    return


def low_rank(m: Mismatch) -> Iterator[Diagnosis]:
    """The difference of two matrices has low rank, as where a few contributions of a sum are wrong."""
    if m.expected.ndim != 2 or not 3 <= min(m.expected.shape) <= _MAX_RANK_SIDE or m.expected.size > MAX_SIZE:
        return
    error = m.error / (np.abs(m.error).max() or 1.0)
    values = np.linalg.svd(error, compute_uv=False)
    rank = int(np.count_nonzero(values > 10 * m.tolerance * values[0]))
    if rank > max(1, min(error.shape) // 4):
        return
    pattern = f"the difference has rank {rank}, of {min(error.shape)} possible"
    yield Diagnosis(code=DiagnosisCode.MISSING_TERM, pattern=pattern)


def lost_row(m: Mismatch) -> Iterator[Diagnosis]:
    """The outer product of one row of an input with the same row of dout, missing or counted twice."""
    dout = m.upstream
    if dout is None or dout.ndim != 2 or m.expected.ndim != 2 or dout.shape[1] != m.expected.shape[1]:
        return
    for name, x in m.inputs.items():
        if x.shape != (dout.shape[0], m.expected.shape[0]):
            continue
        for row in range(min(len(x), 64)):
            outer = np.outer(x[row], dout[row])
            for sign, words in ((-1.0, "is missing"), (1.0, "is counted twice")):
                if np.any(outer) and m.small(m.error - sign * outer):
                    pattern = f"the difference is the outer product of row {row} of {name} and row {row} of dout"
                    cause = f"the contribution of row {row} {words}"
                    yield Diagnosis(code=DiagnosisCode.TERMS_DROPPED, pattern=pattern, cause=cause)
                    return


def _normal_form(m: Mismatch, chosen: Sequence[str]) -> bool:
    """Whether these are the terms of a normalisation: a constant and an input, in a gradient that has both shapes."""
    inputs = set(chosen) & set(m.context.inputs)
    return not m.context.forward and m.upstream is not None and len(inputs) == 1 and "a constant" in chosen


def spanned(m: Mismatch, target: Array, basis: Sequence[Array], over: tuple[int, ...]) -> bool:
    """Whether, over these axes, every slice of the target is a combination of the slices of the basis."""
    length, free = prod(target.shape[axis] for axis in over), len(basis)
    if length < free + 2 or target.size - target.size // length * free < 4 or np.count_nonzero(target) < 4:
        return False
    target, *vectors = (_slices(a, over) for a in (target, *basis))
    left = _project(target, _orthonormal(vectors))
    return m.small(left) and bool(np.all(np.abs(left) <= m.tolerance * rms(target)))


def _slices(array: Array, over: tuple[int, ...]) -> Array:
    rest = [axis for axis in range(array.ndim) if axis not in over]
    length = int(np.prod([array.shape[axis] for axis in over]))
    return array.transpose([*rest, *over]).reshape(-1, length)


def _orthonormal(vectors: Sequence[Array]) -> list[Array]:
    """Gram-Schmidt, twice for accuracy, on every row at once. A dependent vector becomes zero."""
    found: list[Array] = []
    for vector in vectors:
        unit = vector / (np.linalg.norm(vector, axis=1, keepdims=True) + np.finfo(np.float64).tiny)
        left = _project(unit, found)
        length = np.linalg.norm(left, axis=1, keepdims=True)
        found.append(np.where(length > 1e-9, left / np.where(length > 1e-9, length, 1.0), 0.0))
    return found


def _project(target: Array, units: Sequence[Array]) -> Array:
    """The target less its part in the span of the units."""
    for _ in range(2):
        for unit in units:
            target = target - np.sum(target * unit, axis=1, keepdims=True) * unit
    return target


def _sums_to(array: Array, axis: int, total: float) -> bool:
    sums = array.sum(axis=axis)
    return array.shape[axis] > 1 and sums.size > 1 and bool(np.all(np.abs(sums - total) <= 1e-9 * (rms(array) + total)))


def _is_gradient_of(name: str, source: str) -> bool:
    """Whether by their names: dw of w, dparams['W1'] of params['W1']."""
    return name.removeprefix("d").removeprefix("_") == source or name in (
        f"grad_{source}",
        f"grads{source[source.find('[') :]}",
    )
