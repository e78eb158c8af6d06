"""The nouns of a diagnosis: what is known about a tensor, what can be said of its error, and when it may be said.

Every claim goes through `Mismatch`, so there is one rule for "this explains the error": a candidate must give every
element of the student's array to `tolerance`, which is a thousandth of the relative error at most. That matters where
the error is small: an array within 1e-8 of the truth is within 1e-7 of many things.

A fit with free parameters proves nothing where there are as many parameters as numbers. Recognisers that fit count the
numbers left over to test the fit and stay silent when there are too few.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from itertools import combinations
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MAX_SIZE",
    "Array",
    "Context",
    "Diagnosis",
    "DiagnosisCode",
    "Mismatch",
    "Recogniser",
    "axis_label",
    "axis_labels",
    "axis_sets",
    "close",
    "element",
    "fitted",
    "rms",
]

Array: TypeAlias = NDArray[np.float64]

MAX_SIZE = 1_000_000
"""Recognisers that cost more than a few passes over the array stay silent above this many elements."""


class DiagnosisCode(Enum):
    """What an error looks like. The value is the title that is shown."""

    NONE = "nothing was returned"
    NOT_AN_ARRAY = "not an array of numbers"
    WRONG_SHAPE = "the shape is wrong"
    RESHAPED = "the right numbers in another order or shape"
    DTYPE = "the type of the elements is wrong"
    NOT_FINITE = "some elements are NaN or infinite"
    ALL_ZERO = "every element is zero"
    SIGN = "the sign is flipped"
    FACTOR = "wrong by one factor"
    FACTOR_PER_SLICE = "wrong by a factor for each row, column or channel"
    TRANSPOSED = "axes are exchanged"
    FLIPPED = "reversed along an axis"
    SHIFTED = "shifted along an axis"
    PERMUTED = "the right values in other places"
    SWAPPED = "this is another tensor's value"
    MISSING_SUM = "a sum over an axis is missing"
    MEAN_FOR_SUM = "a mean where the sum is needed"
    WRONG_REDUCTION = "reduced over the wrong axes"
    MASK_MISSING = "nonzero where it must be zero"
    MASK_INVERTED = "nonzero exactly where it must be zero"
    MASK_WRONG = "masked by the wrong tensor"
    TERMS_DROPPED = "some contributions are missing"
    LOCAL = "wrong in one place only"
    MISSING_TERM = "a term is missing or wrong"
    REGULARISATION = "a regularisation term is missing or too much"
    FORMULA = "this is another formula"
    WRONG_FACTOR = "one factor of a product is wrong"
    CONSTANT = "the same value everywhere"
    FLOAT32 = "computed in lower precision"
    UNKNOWN = "no known pattern"

    @property
    def title(self) -> str:
        """A few words for a heading."""
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One claim about an error; it was tested on every element."""

    code: DiagnosisCode
    pattern: str
    """What was measured."""
    cause: str | None = None
    """The likely cause, where the pattern points to one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Context:
    """What is known about the compared tensor."""

    name: str
    """The tensor as the student writes it: ``dw``, ``dparams['W1']``, ``out``."""
    axes: tuple[str, ...] = ()
    """Axis names of the expected tensor."""
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Size of every named axis of the case."""
    inputs: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Floating inputs of the function by name."""
    upstream: np.ndarray | None = None
    """dout; None for a loss."""
    upstream_axes: tuple[str, ...] = ()
    others: Mapping[str, np.ndarray] = field(default_factory=dict)
    """True values of the other tensors by name."""
    forward: bool = False
    """A forward result is compared, not a gradient: causes that only a gradient can have are not claimed."""


@dataclass(frozen=True, kw_only=True, eq=False)  # no slots: what thirty recognisers ask for again is kept
class Mismatch:
    """Two finite float64 arrays of one shape that differ, and what is known about them."""

    actual: Array
    expected: Array
    context: Context
    tolerance: float = 1e-7
    """Relative to each element of a candidate, with a floor of a hundredth of it relative to the rms; at most a
    thousandth of the relative error."""

    @cached_property
    def error(self) -> Array:
        """Actual minus expected."""
        return self.actual - self.expected

    @cached_property
    def wrong(self) -> NDArray[np.bool_]:
        """Where the elements differ by more than the tolerance."""
        return ~_within(self.actual, self.expected, self.tolerance)

    @cached_property
    def upstream(self) -> Array | None:
        """dout, if a gradient is compared and there is one."""
        if self.context.forward or self.context.upstream is None:
            return None
        return np.asarray(self.context.upstream, dtype=np.float64)

    @cached_property
    def inputs(self) -> Mapping[str, Array]:
        """The inputs as float64."""
        return {name: np.asarray(value, dtype=np.float64) for name, value in self.context.inputs.items()}

    @cached_property
    def smallest(self) -> float:
        """Size of the smallest of the error and the two arrays, but for those that are zero."""
        return min(size for size in map(rms, (self.error, self.actual, self.expected)) if size > 0.0)

    def equals(self, candidate: Array) -> bool:
        """Whether the student's array is this one."""
        return close(self.actual, candidate, self.tolerance)

    def multiple(self, candidate: Array) -> float | None:
        """The a for which the student's array is a * candidate; None if there is none.

        One number is always a multiple of another: with a single nonzero element the caller must know a.
        """
        if candidate.shape != self.actual.shape:
            return None
        factor = fitted(self.actual, candidate)
        return factor if factor is not None and self.equals(factor * candidate) else None

    def small(self, left_over: Array) -> bool:
        """Whether a part of the error is zero, judged against the error: for claims about the error itself.

        Against the arrays too: next to an error as large as the expected array, a tiny actual one would be neglected.
        An error below 1e-8 of the arrays has too few digits to pass, and nothing is claimed.
        """
        return bool(np.abs(left_over).max(initial=0.0) <= 1e-6 * self.smallest)

    def axis(self, index: int) -> str:
        """Axis of the expected tensor in words: ``axis 0 (N)``."""
        return axis_label(index, self.expected.shape, self.context.axes, self.context.sizes)

    def axes(self, indices: Iterable[int]) -> str:
        """Several axes in words: ``axes 0 (N) and 2 (H)``."""
        return axis_labels(tuple(indices), self.expected.shape, self.context.axes, self.context.sizes)

    def within(self, actual: Array, expected: Array, name: str) -> Mismatch:
        """A mismatch of two intermediate values, of which less is known."""
        context = Context(name=name, sizes=self.context.sizes, forward=self.context.forward)
        return replace(self, actual=actual, expected=expected, context=context)


Recogniser: TypeAlias = Callable[[Mismatch], Iterator[Diagnosis]]


def close(actual: Array, candidate: Array, tolerance: float) -> bool:
    """Whether every element is |actual - candidate| <= tolerance * (|candidate| + rms(candidate) / 100).

    This implies the tolerance in the relative 2-norm and in the maximum norm.
    """
    if actual.shape != candidate.shape:
        return False
    # Most candidates are far off, and fall by the largest error alone: no element may be off by more than this.
    most = 1.02 * tolerance * float(np.abs(candidate).max(initial=0.0))
    if float(np.abs(actual - candidate).max(initial=0.0)) > most:
        return False
    return bool(_within(actual, candidate, tolerance).all())


def fitted(actual: Array, candidate: Array) -> float | None:
    """The a that makes a * candidate nearest to actual; None where that is not a finite number."""
    top = float(np.abs(candidate).max(initial=0.0))
    if not 0.0 < top < np.inf:
        return None
    unit = candidate / top
    factor = float(np.vdot(actual / top, unit) / np.vdot(unit, unit))
    return factor if np.isfinite(factor) and factor != 0.0 else None


def rms(values: Array) -> float:
    """Root mean square, safe from overflow; 0 for no elements."""
    top = float(np.abs(values).max(initial=0.0))
    if not 0.0 < top < np.inf:
        return top
    unit = values / top
    return top * math.sqrt(float(np.vdot(unit, unit)) / values.size)


def axis_sets(ndim: int, *, proper: bool = False) -> list[tuple[int, ...]]:
    """Nonempty sets of axes, small ones first; without the set of all axes if `proper`. At most five axes."""
    if ndim > 5:
        return [(axis,) for axis in range(ndim)]
    return [chosen for count in range(1, ndim + (not proper)) for chosen in combinations(range(ndim), count)]


def axis_label(index: int, shape: tuple[int, ...], axes: tuple[str, ...], sizes: Mapping[str, int]) -> str:
    """One axis in words, with every name that fits where it has none of its own: ``axis 0 (N = 3 or C = 3)``."""
    return f"axis {_numbered(index, shape, axes, sizes)}"


def axis_labels(
    indices: tuple[int, ...], shape: tuple[int, ...], axes: tuple[str, ...], sizes: Mapping[str, int]
) -> str:
    """Several axes in words: ``axes 0 (N) and 2 (H)``."""
    if len(indices) == 1:
        return axis_label(indices[0], shape, axes, sizes)
    words = [_numbered(index, shape, axes, sizes) for index in indices]
    return f"axes {', '.join(words[:-1])} and {words[-1]}"


def element(name: str, index: Iterable[int]) -> str:
    """One element as the student would write it: ``dw[3, 1]``."""
    inside = ", ".join(str(int(i)) for i in index)
    return f"{name}[{inside}]" if inside else name


def _numbered(index: int, shape: tuple[int, ...], axes: tuple[str, ...], sizes: Mapping[str, int]) -> str:
    if len(axes) == len(shape):
        return f"{index} ({axes[index]})"
    fitting = [name for name, size in sizes.items() if size == shape[index]]
    if len(fitting) == 1:
        return f"{index} ({fitting[0]})"
    names = " or ".join(f"{name} = {shape[index]}" for name in fitting)
    return f"{index} ({names or f'of size {shape[index]}'})"


def _within(actual: Array, candidate: Array, tolerance: float) -> NDArray[np.bool_]:
    allowed = tolerance * (np.abs(candidate) + 0.01 * rms(candidate))
    within: NDArray[np.bool_] = np.abs(actual - candidate) <= allowed
    return within
