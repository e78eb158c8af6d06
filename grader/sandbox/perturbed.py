"""Arrays that are an input of the forward pass, perturbed: what a numerical derivative can't do without.

Pure: arrays in, Noticed out. What counts, with x an input and h a step:

    moved      x with one element changed, all others as they were, at three elements or more, one at a time:
               by a small step, or by one step of any size (h = 1 is exact for a bilinear function)
    shifted    x + h and x - h in one function, for a tiny h
    quotient   a function was called with x + h, and the returned gradient is the upstream gradient times what it
               gave less the forward result, divided by one number
    turned     x + ih, for a tiny h; or x with an imaginary part at one element, at three elements or more
    numbers    x[i] + h and x[i] - h, or x[i] + ih, as numbers handed to one function, for three or four elements

What honest code does is none of these. A copy edited step by step differs from x in ever more elements. x + 1e-8 in a
logarithm has no x - 1e-8 beside it. Elements replaced by one constant (leave one out) move by as many steps. Zeros,
ones and other integers are no input to be recognised: an input counts only where it has several values that nobody
would write by chance. Real steps leave their noise in the gradient, and the judge looks for it (Noticed.noise).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# By name: what these find in numpy when they run may be the student's.
from numpy import abs as size_of
from numpy import (
    argmax,
    argsort,
    asarray,
    count_nonzero,
    finfo,
    float64,
    isfinite,
    mean,
    median,
    ndarray,
    rint,
    searchsorted,
    sqrt,
    unique,
    unravel_index,
)

from grader.calls import Method, Noticed
from grader.numerics.trees import leaves, named_leaves

__all__ = ["Evidence", "Place"]

PLACES = 3
"""Elements that must have been moved before it is called a pattern."""
SMALL = 1e-2
"""A step, in units of the input's root mean square, that nothing but a difference takes at one element at a time."""
TINY = 1e-4
"""A step of all elements at once, in the same units; differences with it leave noise that the judge can see."""
SAME = 1e-12
"""Differences up to this share of the largest element are rounding: a step taken back leaves some."""
CONCLUSIVE = 1e-12
"""Noise below this can't be told from that of a right gradient."""
ROUNDING = 1e-14
INFINITE = float("inf")
DOUBLE = np.dtype(float)
MAX_SIZE = 1 << 20
MAX_ELEMENTS = 1 << 24
"""Elements compared, in one call."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the student's code an array was seen."""

    function: str
    line: int
    called: bool
    """As an argument of this function; else in one of its lines."""
    code: Hashable
    own: bool = False
    """The function is the forward pass whose derivative is asked for."""

    def __str__(self) -> str:
        return f"it calls {self.function} with" if self.called else f"line {self.line} of {self.function} has"


@dataclass(slots=True, eq=False)
class _Input:
    """One array that the forward pass was given, and how it was seen moved."""

    name: str
    shape: tuple[int, ...]
    flat: ndarray[Any, Any]
    scale: float
    same: float
    moved: dict[int, float] = field(default_factory=dict)
    called: dict[int, float] = field(default_factory=dict)
    """Likewise, but handed to the forward pass itself."""
    turned: dict[int, float] = field(default_factory=dict)
    shifts: dict[Hashable, list[float]] = field(default_factory=dict)
    numbers: dict[Hashable, dict[int, set[float]]] = field(default_factory=dict)
    order: ndarray[Any, Any] | None = None

    def rows_of(self, array: ndarray[Any, Any]) -> ndarray[Any, Any] | None:
        """The array as rows of this input's size: itself, flattened, or many of them at once."""
        size = self.flat.size
        if array.shape[-len(self.shape) :] == self.shape or array.shape[-1:] == (size,):
            return array.reshape(-1, size)
        return None

    def may_be(self, row: ndarray[Any, Any]) -> bool:
        """Whether three of its elements are those of the input, but for one, or moved by one step. For speed."""
        first, middle, last = (row.item(i) - self.flat.item(i) for i in (0, row.size // 2, row.size - 1))
        still = (abs(first) <= self.same) + (abs(middle) <= self.same) + (abs(last) <= self.same)
        return bool(still > 1 or max(abs(first - middle), abs(middle - last)) <= 2 * self.same)

    def at(self, places: Iterable[int]) -> str:
        """x[0, 0], x[0, 1], x[0, 2], ..."""
        shown = [unravel_index(place, self.shape) for place in list(places)[:PLACES]]
        return ", ".join(f"{self.name}[{', '.join(str(int(i)) for i in index)}]" for index in shown) + ", ..."


class Evidence:
    """What the arrays of one call say together."""

    def __init__(self, inputs: Sequence[tuple[str, Any]], asked: Iterable[Any] = ()) -> None:
        """Nothing was seen yet.

        Args:
            inputs: names and values, trees among them, of what the forward pass was given.
            asked: numbers that it was given: a shift by one of these is its task.
        """
        named = [leaf for name, tree in inputs for leaf in named_leaves(tree, name)]
        self.inputs = [known for name, leaf in named if (known := _input(name, leaf)) is not None]
        self.asked = [abs(float(number)) for number in asked if type(number) in (int, float)]
        self.found: Noticed | None = None
        self.left = MAX_ELEMENTS
        self.outputs: list[tuple[float, ndarray[Any, Any], _Input, Place]] = []

    def see(self, array: ndarray[Any, Any], place: Place) -> tuple[float, _Input] | None:
        """Look at one array; tells of a tiny shift of all its elements."""
        shift = None
        if array.dtype.kind in "fc" and 0 < array.size <= MAX_SIZE:
            for known in self.inputs:
                rows = known.rows_of(array)
                if rows is None:
                    continue
                self.left -= rows.size
                if rows.dtype.kind == "c":
                    self._complex(known, rows, place)
                else:
                    step = self._real(known, rows, place)
                    shift = (step, known) if step else shift
        return shift

    # ----------------------------------------------------------------------------------------------- real arrays

    def _real(self, known: _Input, rows: ndarray[Any, Any], place: Place) -> float:
        if len(rows) == 1 and not known.may_be(rows[0]):
            return 0.0
        steps = rows - known.flat
        off = ~(size_of(steps) <= known.same)
        if len(rows) > 1:
            self._stacked(known, steps, off, place, rows.dtype)
            return 0.0
        changed = count_nonzero(off)
        if changed == 1:
            index = int(argmax(off))
            self._moved(known, {index: float(steps[0, index])}, place, rows.dtype)
        elif changed == off.size:
            return self._shifted(known, steps[0], place, rows.dtype)
        return 0.0

    def _stacked(
        self, known: _Input, steps: ndarray[Any, Any], off: ndarray[Any, Any], place: Place, dtype: np.dtype[Any]
    ) -> None:
        """Many of them in one array, each moved at another element by the same step."""
        alone = off.sum(axis=1) == 1
        places = argmax(off[alone], axis=1)
        found = {int(at): float(step) for at, step in zip(places, steps[alone, places], strict=True)}
        if len(found) >= PLACES and _alike(found.values()):
            self._moved(known, found, place, dtype)

    def _moved(self, known: _Input, found: dict[int, float], place: Place, dtype: np.dtype[Any]) -> None:
        found = {at: step for at, step in found.items() if size_of(step) < INFINITE}
        known.moved |= found
        if place.called and place.own:
            known.called |= found
        small = {at: step for at, step in known.moved.items() if abs(step) <= SMALL * known.scale}
        rows = len(known.shape) > 1 and known.flat.size > known.shape[-1]
        if max(len(small), len(known.called)) >= PLACES:
            steps = small if len(small) >= PLACES else known.called
        elif rows and len(known.moved) > PLACES and _alike(known.moved.values()):
            steps = known.moved
        else:
            return
        size = max(map(abs, steps.values()))
        by = f" by {size:.2g}" if _alike(steps.values()) else ""
        words = f"{place} one element of {known.name} moved{by} at a time: {known.at(steps)}"
        self._notice(Method.DIFFERENCES, words, _noise(dtype, known, size))

    def _shifted(self, known: _Input, steps: ndarray[Any, Any], place: Place, dtype: np.dtype[Any]) -> float:
        step = float(steps.mean())
        tiny = 8 * known.same < abs(step) <= TINY * known.scale
        if not tiny or not (size_of(steps - step) <= known.same).all():
            return 0.0
        if any(abs(abs(step) - number) <= 1e-3 * number for number in self.asked):
            return 0.0
        seen = known.shifts.setdefault(place.code, [])
        if any(abs(step + other) <= 1e-2 * abs(step) for other in seen):
            size = abs(step)
            words = f"{place} {known.name} + {size:.2g} and {known.name} - {size:.2g}"
            self._notice(Method.DIFFERENCES, words, _noise(dtype, known, size))
        seen.append(step)
        return step

    # -------------------------------------------------------------------------------------------- complex arrays

    def _complex(self, known: _Input, rows: ndarray[Any, Any], place: Place) -> None:
        for row in rows[(rows.real == known.flat).all(axis=1)]:
            turned = row.imag
            count = count_nonzero(turned)
            if count == 1:
                index = int(argmax(turned != 0))
                known.turned[index] = float(turned[index])
                if len(known.turned) >= PLACES and _alike(known.turned.values()):
                    what = f"{abs(float(turned[index])):.2g}i added to one element of {known.name} at a time"
                    self._notice(Method.COMPLEX_STEP, f"{place} {what}: {known.at(known.turned)}", 0.0)
            elif count == turned.size and (turned == turned[0]).all():
                step = abs(float(turned[0]))
                if step <= TINY * known.scale:
                    self._notice(Method.COMPLEX_STEP, f"{place} {known.name} + {step:.2g}i", 0.0)

    # ---------------------------------------------------------------------------------------------------- numbers

    def hear(self, number: complex, place: Place) -> None:
        """Look at one number that a function was handed."""
        turned = isinstance(number, complex)
        for known in self.inputs:
            index = _nearest(known, number.real)
            offset = float(number.imag if turned else number.real - known.flat[index])
            if turned and number.real != known.flat[index]:
                continue
            if not (0.0 if turned else 8 * known.same) < abs(offset) <= TINY * known.scale:
                continue
            seen = known.numbers.setdefault((place.code, turned), {})
            seen.setdefault(index, set()).add(offset)
            if turned:
                self._heard_complex(known, seen, place)
            else:
                self._heard(known, seen, place)

    def _heard(self, known: _Input, seen: dict[int, set[float]], place: Place) -> None:
        pairs = {i: max(steps) for i, steps in seen.items() if len(steps) == 2 and _alike(steps) and min(steps) < 0}
        if len(pairs) >= PLACES and _alike(pairs.values()):
            size = max(pairs.values())
            first = known.at(pairs).partition("],")[0] + "]"
            words = f"{place} {first} + {size:.2g} and - {size:.2g}, and so on: {known.at(pairs)}"
            self._notice(Method.DIFFERENCES, words, _noise(DOUBLE, known, size))

    def _heard_complex(self, known: _Input, seen: dict[int, set[float]], place: Place) -> None:
        steps = {step for each in seen.values() for step in each}
        if len(seen) > PLACES and len(steps) == 1:
            words = f"{place} {min(steps):.2g}i added to one element of {known.name} at a time: {known.at(seen)}"
            self._notice(Method.COMPLEX_STEP, words, 0.0)

    # --------------------------------------------------------------------------------------------------- quotients

    def output(self, shift: tuple[float, _Input], value: Any, place: Place) -> None:
        """What a function returned that was called with a shifted input."""
        first = value[0] if type(value) in (tuple, list) and value else value
        if type(first) is ndarray and first.dtype.kind == "f" and len(self.outputs) < 8:
            self.outputs.append((shift[0], first.copy(), shift[1], place))

    def conclude(self, gradients: Any, upstream: Any, out: Any) -> Noticed | None:
        """What was noticed, in the light of what came out."""
        if self.found is None and type(upstream) is ndarray and type(out) is ndarray:
            for gradient in leaves(gradients):
                for step, shifted, known, place in self.outputs:
                    if _is_quotient(gradient, upstream, shifted, out, step):
                        size = f"{known.name} {'+' if step > 0 else '-'} {abs(step):.2g}"
                        words = f"{place} {size}, and returns what that adds to the result, divided by the step"
                        self._notice(Method.DIFFERENCES, words, 0.0)
        return self.found

    def _notice(self, method: Method, words: str, noise: float) -> None:
        if self.found is None:
            self.found = Noticed(method=method, words=words, noise=noise)


def _input(name: str, leaf: Any) -> _Input | None:
    """An input that can be recognised by its values; None if it can't."""
    if type(leaf) is not ndarray or leaf.dtype.kind != "f" or not 3 <= leaf.size <= MAX_SIZE:
        return None
    flat = leaf.reshape(-1).astype(float64)
    if not isfinite(flat).all():
        return None
    telling = flat[flat != rint(flat)]
    if len(set(telling[:PLACES].tolist())) < PLACES and unique(telling).size < PLACES:
        return None
    largest = float(size_of(flat).max())
    scale = largest * float(sqrt(mean((flat / largest) ** 2)))
    return _Input(name=name, shape=leaf.shape, flat=flat, scale=scale, same=SAME * largest)


def _nearest(known: _Input, number: float) -> int:
    """Position of the element nearest to a number."""
    if known.order is None:
        known.order = argsort(known.flat)
    ordered = known.flat[known.order]
    at = int(searchsorted(ordered, number))
    near = [i for i in (at - 1, at) if 0 <= i < ordered.size]
    return int(known.order[min(near, key=lambda i: abs(float(ordered[i]) - number))])


def _alike(steps: Iterable[float]) -> bool:
    """Whether they are one step, forwards or backwards."""
    sizes = [abs(step) for step in steps]
    return max(sizes) - min(sizes) <= 1e-2 * max(sizes)


def _noise(dtype: np.dtype[Any], known: _Input, step: float) -> float:
    """Rounding error that differences with this step leave, as a share of the gradient; 0 where it tells nothing.

    A step that is large only because these inputs are tiny gets the noise that it has at others: whether the
    gradient comes from it shows there.
    """
    eps = float(finfo(dtype).eps)
    return next((noise for noise in (eps * known.scale / step, eps / step) if noise >= CONCLUSIVE), 0.0)


def _is_quotient(gradient: Any, upstream: Any, shifted: Any, out: Any, step: float) -> bool:
    """Whether the gradient is upstream * (shifted - out) / step, to the last digits."""
    gradient = asarray(gradient)
    if not gradient.shape == upstream.shape == shifted.shape == out.shape or gradient.dtype.kind != "f":
        return False
    here = (gradient != 0) & isfinite(gradient)
    if count_nonzero(here) <= PLACES:
        return False
    steps = upstream[here] * (shifted[here] - out[here]) / gradient[here]
    middle = float(median(steps))
    one = bool((size_of(steps - middle) <= ROUNDING * abs(middle)).all())
    return one and abs(middle - step) <= 1e-2 * abs(step)
