"""Errors that are seen by where they are: masks, dropped contributions, one row, one border, one element."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from grader.numerics.claims import MAX_SIZE, Diagnosis, DiagnosisCode, Mismatch, close, element

__all__ = [
    "at_a_kink",
    "dropped",
    "local",
    "mask_inverted",
    "mask_missing",
    "mask_of_upstream",
    "one_per_slice",
    "overwritten",
    "rectified",
    "spread_evenly",
]


def at_a_kink(m: Mismatch) -> bool:
    """Whether the arrays differ only where an input is exactly 0, each by a choice that a ReLU leaves open.

    The derivative of max(0, x) at 0 may be anything in [0, 1], so g = a dout with a in [0, 1] is right there.
    """
    dout = m.upstream
    if dout is None or dout.shape != m.expected.shape:
        return False
    wrong = m.wrong
    kinks = (x == 0 for x in m.inputs.values() if x.shape == wrong.shape)
    at_zero = any(bool(np.all(zero[wrong])) for zero in kinks)
    between = np.all((m.actual[wrong] * dout[wrong] >= 0) & (np.abs(m.actual[wrong]) <= np.abs(dout[wrong])))
    return at_zero and bool(between)


def mask_missing(m: Mismatch) -> Iterator[Diagnosis]:
    """Right where the expected array is not zero, nonzero where it must be zero."""
    nonzero = m.expected != 0
    wrong = m.wrong
    if nonzero.all() or not nonzero.any() or np.any(wrong & nonzero):
        return
    count, zeros = int(wrong.sum()), int((~nonzero).sum())
    pattern = f"right where the expected one is not 0; nonzero at {count} of the {zeros} elements that must be 0"
    yield Diagnosis(code=DiagnosisCode.MASK_MISSING, pattern=pattern, cause=_missing_mask(m, wrong))


def mask_inverted(m: Mismatch) -> Iterator[Diagnosis]:
    """Zero exactly where the expected array is not, and the reverse."""
    nonzero = m.expected != 0
    if m.expected.size < 4 or not nonzero.any() or nonzero.all() or np.any((m.actual != 0) & nonzero):
        return
    dout = m.upstream
    if dout is not None and dout.shape == m.expected.shape:
        full = close(m.actual, np.where(nonzero, 0.0, dout), m.tolerance)
    else:
        full = bool(np.all((m.actual != 0) | nonzero))
    if full:
        pattern = "nonzero exactly where the expected one is 0, and the reverse"
        yield Diagnosis(code=DiagnosisCode.MASK_INVERTED, pattern=pattern, cause="the mask is inverted")


def mask_of_upstream(m: Mismatch) -> Iterator[Diagnosis]:
    """The array is dout * (dout > 0): the mask of the wrong tensor."""
    dout = m.upstream
    if dout is not None and np.count_nonzero(dout > 0) >= 2 and m.equals(np.where(dout > 0, dout, 0.0)):
        pattern = f"{m.context.name} is dout where dout > 0 and 0 elsewhere"
        cause = "the mask is taken from dout; it belongs to the input of the forward pass"
        yield Diagnosis(code=DiagnosisCode.MASK_WRONG, pattern=pattern, cause=cause)


def rectified(m: Mismatch) -> Iterator[Diagnosis]:
    """max(expected, 0): a ReLU on a result that has none."""
    negative = np.count_nonzero(m.expected < 0)
    if negative < 2 or negative == m.expected.size or not m.equals(np.maximum(m.expected, 0.0)):
        return
    pattern = f"the {negative} negative elements are 0 in yours, the others are right"
    cause = "a ReLU is applied to this result, which has none" if m.context.forward else None
    yield Diagnosis(code=DiagnosisCode.TERMS_DROPPED, pattern=pattern, cause=cause)


def dropped(m: Mismatch) -> Iterator[Diagnosis]:
    """Some elements are 0 that must not be, the others are right."""
    wrong = m.wrong
    if wrong.all() or np.any(m.actual[wrong] != 0) or not np.any(m.actual):
        return
    where = _where(wrong, m)
    pattern = f"{int(wrong.sum())} of {wrong.size} elements are 0 and must not be, the others are right"
    counted = np.array_equal(m.expected, np.rint(m.expected))  # codes, say: 0 is one of them, and not "nothing there"
    cause = "a loop or slice leaves out that end" if _at_one_end(wrong) and not counted else None
    yield Diagnosis(code=DiagnosisCode.TERMS_DROPPED, pattern=f"{pattern}{f': {where}' if where else ''}", cause=cause)


def local(m: Mismatch) -> Iterator[Diagnosis]:
    """Wrong in one row, column, border or element, and right everywhere else."""
    wrong = m.wrong
    if m.expected.size < 3 or wrong.mean() >= 0.6:
        return
    where = _where(wrong, m)
    if where:
        pattern = f"{int(wrong.sum())} of {wrong.size} elements are wrong: {where}"
        yield Diagnosis(code=DiagnosisCode.LOCAL, pattern=pattern)


def overwritten(m: Mismatch) -> Iterator[Diagnosis]:
    """The wrong elements are single elements of dout where sums of several are expected: = in place of +=."""
    dout, wrong = m.upstream, m.wrong
    if dout is None or dout.shape == wrong.shape or np.count_nonzero(wrong) < 2 or m.expected.size > MAX_SIZE:
        return
    # What is scattered by adding keeps its total: only then are the expected elements sums of elements of dout.
    if abs(m.expected.sum() - dout.sum()) > 1e-9 * np.abs(dout).sum():
        return
    yours, right = m.actual[wrong], m.expected[wrong]
    if np.all(yours != 0) and np.isin(yours, dout).all() and not np.isin(right, dout).any() and np.all(right != 0):
        pattern = f"the {yours.size} wrong elements are single elements of dout, the expected ones sums of several"
        cause = (
            "where windows or indices overlap, gradients must be added up: = keeps one of them, and so does += "
            "at an index that comes twice (np.add.at and index_add_ add all)"
        )
        yield Diagnosis(code=DiagnosisCode.TERMS_DROPPED, pattern=pattern, cause=cause)


def spread_evenly(m: Mismatch) -> Iterator[Diagnosis]:
    """Every element of dout shared out equally over its window, where one element of the window receives it all."""
    dout, shape = m.upstream, m.expected.shape
    if dout is None or dout.ndim != len(shape) or dout.shape == shape or not dout.size:
        return
    if any(large % small for large, small in zip(shape, dout.shape, strict=True)):
        return
    spread = dout
    for axis, (large, small) in enumerate(zip(shape, dout.shape, strict=True)):
        spread = spread.repeat(large // small, axis=axis)
    window = m.expected.size // dout.size
    share = m.multiple(spread)
    if share is None or np.count_nonzero(dout) < 2 or abs(share * window - 1.0) > 1e-6:
        return
    one_each = np.count_nonzero(m.expected) == np.count_nonzero(dout)
    yield Diagnosis(
        code=DiagnosisCode.FORMULA,
        pattern=f"every element of dout is shared out equally over the {window} elements of its window",
        cause="that is the gradient of an average; one element of each window receives it all" if one_each else None,
    )


def one_per_slice(m: Mismatch) -> Iterator[Diagnosis]:
    """One element in every row differs, always by the same number: the correct class of a softmax."""
    error, wrong = m.error, m.wrong
    for axis in range(m.expected.ndim):
        if m.expected.shape[axis] < 2 or m.expected.size < 4 or np.any(wrong.sum(axis=axis) != 1):
            continue
        steps = error[wrong]
        if steps.size < 2 or not m.small(np.where(wrong, error - steps[0], 0.0)):
            continue
        rows = steps.size
        step = float(steps[0])
        amount = f"1/{rows}" if abs(abs(step) * rows - 1) <= 1e-6 else f"{abs(step):.6g}"
        more = "more" if step > 0 else "less"
        pattern = f"along {m.axis(axis)} exactly one element is wrong each time, by {amount} {more} than expected"
        yield Diagnosis(code=DiagnosisCode.MISSING_TERM, pattern=pattern, cause=_correct_class(m, wrong, step, rows))
        return


def _correct_class(m: Mismatch, wrong: NDArray[np.bool_], step: float, rows: int) -> str | None:
    """The gradient is p - 1 at the correct class, over N for a mean: what happened to the 1. Only a gradient has it."""
    if m.context.forward or not bool(np.all((m.expected < 0) == wrong)):
        return None
    # In terms of the 1 that is subtracted at the correct class, for a mean loss (unit 1/N) and for a sum (unit 1).
    for unit in (1.0 / rows, 1.0):
        if abs(step - unit) <= 1e-6 * unit:
            return "the 1 is not subtracted at the correct class"
        if abs(step - 2.0 * unit) <= 1e-6 * unit:
            return "the 1 is added at the correct class where it must be subtracted"
        if abs(step + unit) <= 1e-6 * unit:
            return "the 1 is subtracted twice at the correct class"
    if abs(step - (1.0 / rows - 1.0)) <= 1e-6:
        return "the 1 subtracted at the correct class is not divided by N"
    return None


def _missing_mask(m: Mismatch, wrong: NDArray[np.bool_]) -> str | None:
    """Which input's sign the mask follows, where it follows one on every element."""
    for name, x in m.inputs.items():
        if x.shape != m.expected.shape or np.any(m.actual[wrong] == 0):
            continue
        dout = m.upstream
        if m.context.forward and np.all(x[wrong] < 0) and close(m.actual, x, m.tolerance):
            return f"{name} passes where it is negative: max(0, {name}) is missing"
        through = dout is not None and dout.shape == x.shape and close(m.actual, dout, m.tolerance)
        if through and np.all(x[wrong] < 0) and np.all(m.expected[x < 0] == 0):
            return f"the gradient flows where {name} is negative: the mask {name} > 0 is missing"
    return None


def _at_one_end(wrong: NDArray[np.bool_]) -> bool:
    """Exactly a run of whole slices at the start or the end of one axis."""
    for axis in range(wrong.ndim):
        lines = np.moveaxis(wrong, axis, 0).reshape(wrong.shape[axis], -1)
        whole = lines.all(axis=1)
        if np.array_equal(whole, lines.any(axis=1)) and np.count_nonzero(np.diff(whole)) == 1:
            return True
    return False


def _where(wrong: NDArray[np.bool_], m: Mismatch) -> str:
    """The place of the wrong elements in words; empty if they are all over."""
    if m.expected.ndim == 0:
        return ""
    border = _border(wrong, m)
    if border:
        return border
    places = np.argwhere(wrong)
    used = [np.unique(places[:, axis]) for axis in range(wrong.ndim)]
    narrow = [
        axis for axis, ids in enumerate(used) if 4 * len(ids) <= wrong.shape[axis] or len(ids) == 1 < wrong.shape[axis]
    ]
    if len(places) <= 3 and (len(places) == 1 or not narrow):
        return ", ".join(element(m.context.name, place) for place in places)
    if not narrow:
        return ""
    return "all within " + " and ".join(f"{_indices(used[axis])} of {m.axis(axis)}" for axis in narrow)


def _indices(ids: NDArray[np.intp]) -> str:
    shown = ", ".join(str(int(i)) for i in ids[:6])
    return f"{'index' if len(ids) == 1 else 'indices'} {shown}{', ...' if len(ids) > 6 else ''}"


def _border(wrong: NDArray[np.bool_], m: Mismatch) -> str:
    """The outermost elements along the last two axes, if those are exactly the wrong ones."""
    if wrong.ndim < 2 or min(wrong.shape[-2:]) < 3:
        return ""
    inside = np.zeros(wrong.shape, dtype=bool)
    inside[..., 1:-1, 1:-1] = True
    both = m.axes((wrong.ndim - 2, wrong.ndim - 1))
    return f"exactly the border of {both}" if np.array_equal(wrong, ~inside) else ""
