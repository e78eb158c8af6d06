"""What is wrong before values can be compared: nothing returned, not numbers, the wrong shape, the wrong type, NaN.

Shapes alone say little, so most claims here are about values: an array of the wrong shape is called unreduced only if
its sum over the axes in question *is* the expected array.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.numerics.claims import (
    MAX_SIZE,
    Array,
    Context,
    Diagnosis,
    DiagnosisCode,
    axis_label,
    axis_labels,
    axis_sets,
    close,
    element,
)

__all__ = ["as_numbers", "not_an_array", "not_finite", "wrong_dtype", "wrong_shape"]

_EXP_LIMIT = float(np.log(np.finfo(np.float64).max))


def as_numbers(actual: Any) -> NDArray[Any] | None:
    """The array of numbers that `actual` is or stands for, None if it is none. Never raises."""
    if isinstance(actual, tuple) or (isinstance(actual, list) and any(isinstance(i, np.ndarray) for i in actual)):
        return None  # several arrays are not one, even where NumPy would stack them
    try:
        array = np.asarray(actual)
    except Exception:
        return None  # ragged lists, objects with an __array__ that raises: all of it comes from student code
    return array if type(array) is np.ndarray and array.dtype.kind in "biufc" else None


def not_an_array(actual: Any, expected: Array) -> Diagnosis:
    """What the student returned in place of an array of numbers."""
    if actual is None:
        return Diagnosis(
            code=DiagnosisCode.NONE, pattern="yours is None, expected an array of shape " + str(expected.shape)
        )
    if isinstance(actual, (tuple, list)):
        return _sequence(actual, expected)
    kind = (
        f"an array of {actual.dtype}" if isinstance(actual, np.ndarray) else f"a value of type {type(actual).__name__}"
    )
    return Diagnosis(
        code=DiagnosisCode.NOT_AN_ARRAY, pattern=f"yours is {kind}, expected an array of shape {expected.shape}"
    )


def wrong_shape(actual: Array, expected: Array, context: Context, tolerance: float) -> list[Diagnosis]:
    """Why an array does not have the shape of the expected one."""
    claims = (_rearranged, _another, _unreduced, _over_reduced, _padded)
    found = [one for claim in claims for one in claim(actual, expected, context, tolerance)]
    return found or [Diagnosis(code=DiagnosisCode.WRONG_SHAPE, pattern=_shapes(actual, expected))]


def wrong_dtype(actual: NDArray[Any], expected: NDArray[Any]) -> Iterator[Diagnosis]:
    """The type of the elements, and what it did to them."""
    if actual.dtype == expected.dtype:
        return
    cause = None
    if actual.dtype.kind in "iu" and actual.shape == expected.shape and np.array_equal(actual, np.trunc(expected)):
        cause = "the values were written into an array of integers, which cuts the fraction off"
    yield Diagnosis(
        code=DiagnosisCode.DTYPE, pattern=f"yours is {actual.dtype}, expected {expected.dtype}", cause=cause
    )


def not_finite(actual: Array, expected: Array, context: Context, tolerance: float) -> Iterator[Diagnosis]:
    """Which elements are NaN or infinite; nothing if none is."""
    bad = ~np.isfinite(actual)
    if not bad.any():
        return
    first = element(context.name, np.argwhere(bad)[0])
    kinds = [word for word, hit in (("NaN", np.isnan(actual)), ("infinite", np.isinf(actual))) if hit.any()]
    verb = "is" if bad.sum() == 1 else "are"
    pattern = f"{bad.sum()} of {bad.size} elements {verb} {' or '.join(kinds)}, the first at {first}"
    if not bad.all() and close(actual[~bad], expected[~bad], tolerance):
        pattern += "; the others are right"
    yield Diagnosis(code=DiagnosisCode.NOT_FINITE, pattern=pattern, cause=_overflow(bad, context))


def _sequence(actual: tuple[Any, ...] | list[Any], expected: Array) -> Diagnosis:
    pattern = f"yours is a {type(actual).__name__} of {len(actual)}, expected an array of shape {expected.shape}"
    items = [as_numbers(item) for item in actual]
    hits = [i for i, item in enumerate(items) if item is not None and item.dtype.kind == "f" and _same(item, expected)]
    cause = None
    if hits:
        pattern += f"; its item {hits[0]} is the expected array"
        index = items[1] if len(items) == 2 and hits == [0] else None
        pair = index is not None and index.dtype.kind in "iu"
        cause = "on torch, x.max(axis=1) returns a pair: values and indices" if pair else "return that item alone"
    return Diagnosis(code=DiagnosisCode.NOT_AN_ARRAY, pattern=pattern, cause=cause)


def _same(actual: NDArray[Any], expected: Array) -> bool:
    return actual.shape == expected.shape and close(actual.astype(np.float64), expected, 1e-7)


def _shapes(actual: Array, expected: Array) -> str:
    return f"yours has shape {actual.shape}, expected {expected.shape}"


def _rearranged(actual: Array, expected: Array, context: Context, tolerance: float) -> Iterator[Diagnosis]:
    """The right numbers in a wrong shape."""
    if actual.size != expected.size:
        return
    if close(actual.ravel(), expected.ravel(), tolerance):
        kept = actual.ndim > expected.ndim and actual.squeeze().shape == expected.squeeze().shape
        cause = "an axis of size 1 was kept (keepdims=True, or a slice for an index): drop it" if kept else None
        pattern = f"the numbers are right, but yours has shape {actual.shape}, expected {expected.shape}"
        yield Diagnosis(code=DiagnosisCode.RESHAPED, pattern=pattern, cause=cause)
        return
    for order in permutations(range(expected.ndim)) if expected.ndim <= 4 else ():
        if actual.shape == tuple(expected.shape[i] for i in order) and close(
            actual, expected.transpose(order), tolerance
        ):
            what = "the transpose of the expected one" if expected.ndim == 2 else f"the expected one with axes {order}"
            yield Diagnosis(
                code=DiagnosisCode.TRANSPOSED,
                pattern=f"{_shapes(actual, expected)}: yours is {what}",
                cause="a transpose is missing or one too many",
            )
            return


def _another(actual: Array, expected: Array, context: Context, tolerance: float) -> Iterator[Diagnosis]:
    """The value of another tensor, or an input handed back."""
    for name, other in context.others.items():
        if close(actual, np.asarray(other, dtype=np.float64), tolerance):
            pattern = f"{_shapes(actual, expected)}: yours is the value of {name}"
            cause = "the results are returned in another order"
            yield Diagnosis(code=DiagnosisCode.SWAPPED, pattern=pattern, cause=cause)
            return


def _unreduced(actual: Array, expected: Array, context: Context, tolerance: float) -> Iterator[Diagnosis]:
    """The expected array is the sum, or the mean, of the student's over some axes."""
    if actual.size <= expected.size or not expected.size:
        return
    axes = context.upstream_axes if _is_upstream_shape(actual, context) else ()
    sets = [s for s in axis_sets(actual.ndim) if _fits(actual, expected, s)]
    for word, reduce in (("sum", np.sum), ("mean", np.mean)):
        hits = [s for s in sets if close(reduce(actual, axis=s).reshape(expected.shape), expected, tolerance)]
        if hits:
            yield _missing(word, hits[0], actual, expected, context, axes)
            return


def _missing(
    word: str, over: tuple[int, ...], actual: Array, expected: Array, context: Context, axes: tuple[str, ...]
) -> Diagnosis:
    label = axis_labels(over, actual.shape, axes, context.sizes)
    sizes = actual.shape[over[0]] if len(over) == 1 else tuple(actual.shape[i] for i in over)
    name = label.partition("(")[2].rstrip(")") if len(over) == 1 else ""
    words = f"axis {name} (of size {sizes})" if name.isidentifier() else label
    is_dout = _is_upstream(actual, context, tolerance=1e-12)
    where = over[0] if len(over) == 1 else over
    keep = ", keepdims=True" if actual.ndim == expected.ndim else ""
    shape = _named_shape(expected, context)
    assigned = f"{context.name} = dout" if is_dout else context.name
    call = f"{assigned}.{word}(axis={where}{keep}) has shape {shape}"
    verb = "sum" if word == "sum" else "average"
    return Diagnosis(
        code=DiagnosisCode.MISSING_SUM if word == "sum" else DiagnosisCode.WRONG_SHAPE,
        pattern=f"{_shapes(actual, expected)}: the {word} over {words} is missing",
        cause=f"{verb} {'dout' if is_dout else 'yours'} over {label}: {call}",
    )


def _over_reduced(actual: Array, expected: Array, context: Context, tolerance: float) -> Iterator[Diagnosis]:
    """The student's array is the sum, or the mean, of the expected one over some axes."""
    if actual.size >= expected.size or not actual.size:
        return
    for word, reduce in (("sum", np.sum), ("mean", np.mean)):
        for over in axis_sets(expected.ndim):
            if _fits(expected, actual, over) and close(
                reduce(expected, axis=over).reshape(actual.shape), actual, tolerance
            ):
                label = axis_labels(over, expected.shape, context.axes, context.sizes)
                pattern = f"{_shapes(actual, expected)}: yours is the {word} of the expected one over {label}"
                cause = f"the {word} over {label} is one too many"
                yield Diagnosis(code=DiagnosisCode.WRONG_REDUCTION, pattern=pattern, cause=cause)
                return


def _padded(actual: Array, expected: Array, context: Context, tolerance: float) -> Iterator[Diagnosis]:
    """Padding that was not cut off, or cut off with ``pad:-pad`` at a pad of 0."""
    if actual.ndim != expected.ndim or actual.shape == expected.shape:
        return
    if actual.size == 0 < expected.size:
        cause = None if context.forward else "a slice such as pad:-pad is empty where pad is 0"
        yield Diagnosis(
            code=DiagnosisCode.WRONG_SHAPE, pattern=f"{_shapes(actual, expected)}: yours is empty", cause=cause
        )
        return
    extra = [a - e for a, e in zip(actual.shape, expected.shape, strict=True)]
    if min(extra) < 0 or any(width % 2 for width in extra) or actual.size > MAX_SIZE:
        return
    inner = tuple(slice(w // 2, w // 2 + e) for w, e in zip(extra, expected.shape, strict=True))
    if close(actual[inner], expected, tolerance):
        labels = [axis_label(i, expected.shape, context.axes, context.sizes) for i, w in enumerate(extra) if w]
        pattern = f"{_shapes(actual, expected)}: the expected one lies inside, a border along {' and '.join(labels)}"
        cause = "the padding was not cut off"
        yield Diagnosis(code=DiagnosisCode.WRONG_SHAPE, pattern=pattern, cause=cause)


def _fits(large: Array, small: Array, over: tuple[int, ...]) -> bool:
    """Whether reducing these axes of `large` gives the shape of `small`, with or without axes of size 1."""
    dropped = tuple(n for i, n in enumerate(large.shape) if i not in over)
    kept = tuple(1 if i in over else n for i, n in enumerate(large.shape))
    return small.shape in (dropped, kept) and any(large.shape[i] > 1 for i in over)


def _is_upstream_shape(actual: Array, context: Context) -> bool:
    return context.upstream is not None and not context.forward and np.shape(context.upstream) == actual.shape


def _is_upstream(actual: Array, context: Context, tolerance: float) -> bool:
    if not _is_upstream_shape(actual, context):
        return False
    return close(actual, np.asarray(context.upstream, dtype=np.float64), tolerance)


def _named_shape(expected: Array, context: Context) -> str:
    if len(context.axes) != expected.ndim:
        return str(expected.shape)
    return f"({', '.join(context.axes)}{',' if expected.ndim == 1 else ''})"


def _overflow(bad: NDArray[np.bool_], context: Context) -> str | None:
    """The overflow of exp, claimed only if exactly the rows with such an input are not finite.

    A single number has no rows to tell it from what follows when exp is kept from overflowing, but becomes 0.
    """
    for name, values in context.inputs.items():
        large = np.asarray(values) > _EXP_LIMIT
        if not large.any():
            continue
        if bad.ndim == 0:
            above = f"exp is infinite where {name} is above {_EXP_LIMIT:.0f}, and 0 far below the largest one"
            return f"{above}: inf / inf, 0 / 0 or log 0 follows"
        if large.ndim and bad.shape[0] == large.shape[0] and _same_rows(bad, large):
            return f"exp overflows where {name} is above {_EXP_LIMIT:.0f}: subtract the largest one first"
    return None


def _same_rows(left: NDArray[np.bool_], right: NDArray[np.bool_]) -> bool:
    rows = [np.any(mask.reshape(mask.shape[0], -1), axis=1) for mask in (left, right)]
    return bool(np.array_equal(*rows))
