"""Damages: wrong results, made of right ones. Unlike a mutant, a damage needs no source and knows no formula.

A damage changes what a right function returns, before anybody sees it: the arrays of a gradient, of a forward pass, of
parameters after a step. Each breaks no other promise: the same arguments give the same result, and a gradient follows
its upstream gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from grader.calls import Answering, Call, Evaluator, Isolation, LoadOutcome, Outcome, Returned
from grader.numerics.trees import leaves, rebuild

__all__ = ["DAMAGES", "Damaged"]

Arrays: TypeAlias = tuple[NDArray[Any], ...]


def _each(change: Callable[[NDArray[Any]], NDArray[Any]]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: tuple(change(array) for array in arrays)


def _largest(arrays: Arrays) -> int:
    return int(np.argmax([array.size for array in arrays]))


def _with(arrays: Arrays, index: int, array: NDArray[Any]) -> Arrays:
    return (*arrays[:index], array, *arrays[index + 1 :])


def _middle_nonzero(array: NDArray[Any]) -> tuple[int, ...]:
    places = np.argwhere(array)
    return tuple(places[len(places) // 2]) if len(places) else (0,) * array.ndim


def _one_element(arrays: Arrays) -> Arrays:
    index = _largest(arrays)
    changed = arrays[index].copy()
    changed[_middle_nonzero(changed)] *= 0.5
    return _with(arrays, index, changed)


def _row_zero(arrays: Arrays) -> Arrays:
    changed = arrays[0].copy()
    changed[_middle_nonzero(changed)[:1]] = 0.0
    return _with(arrays, 0, changed)


def _transposed(arrays: Arrays) -> Arrays:
    index = _largest(arrays)
    old = arrays[index]
    square = old.ndim == 2 and old.shape[0] == old.shape[1]
    return _with(arrays, index, old.T if square else np.roll(old, 1, axis=-1)) if old.ndim else arrays


def _swapped(arrays: Arrays) -> Arrays:
    for i, first in enumerate(arrays):
        for j in range(i + 1, len(arrays)):
            if arrays[j].shape == first.shape:
                return _with(_with(arrays, i, arrays[j]), j, first)
    return arrays


def _noisy(arrays: Arrays) -> Arrays:
    rng = np.random.default_rng(7)  # the same noise in each call, and linear in dout: no contract is broken
    return tuple(array * (1 + 1e-5 * rng.standard_normal(array.shape)) for array in arrays)


DAMAGES: Final[Mapping[str, Callable[[Arrays], Arrays]]] = {
    "zero": _each(np.zeros_like),
    "sign": _each(np.negative),
    "doubled": _each(lambda array: 2 * array),
    "off by 1e-3": _each(lambda array: 1.001 * array),
    "one element": _one_element,
    "one row zero": _row_zero,
    "transposed": _transposed,
    "swapped": _swapped,
    "noise 1e-5": _noisy,
    "float32": _each(lambda array: array.astype(np.float32).astype(float)),
    "one tensor": lambda arrays: _with(arrays, len(arrays) - 1, -arrays[-1]),
    "adds to the first": lambda arrays: _with(arrays, 0, arrays[0] + 0.01 * arrays[0].mean()),
}
"""By name: from the arrays that were returned to wrong ones. Of one that leaves them as they are, nothing is said."""


class Damaged:
    """An evaluator whose function returns damaged results."""

    def __init__(self, inner: Evaluator, function: str, damage: Callable[[Arrays], Arrays]) -> None:
        self.inner, self.function, self.damage = inner, function, damage
        self.changed = False
        """Whether the damage has shown in any result so far."""

    @property
    def isolation(self) -> Isolation:
        """The inner one's."""
        return self.inner.isolation

    @property
    def overflowed(self) -> bool:
        """The inner one's."""
        return self.inner.overflowed

    def load(self) -> LoadOutcome:
        """As the inner one does."""
        return self.inner.load()

    def call(self, call: Call) -> Outcome:
        """The inner one's outcome, spoilt."""
        return self._spoilt(call, self.inner.call(call))

    def calls(self, calls: Sequence[Call]) -> Iterator[Outcome]:
        """The inner one's outcomes, spoilt."""
        return map(self._spoilt, calls, self.inner.calls(calls))

    def fresh(self) -> None:
        """As the inner one does."""
        self.inner.fresh()

    def answering(self, answers: Answering) -> Evaluator:
        """The inner one's, whose other functions are as they were."""
        return Damaged(self.inner.answering(answers), self.function, self.damage)

    def close(self) -> None:
        """As the inner one does."""
        self.inner.close()

    def _spoilt(self, call: Call, outcome: Outcome) -> Outcome:
        if call.function != self.function or not isinstance(outcome, Returned):
            return outcome
        flat = leaves(outcome.value)
        numbers = [np.asarray(leaf) for leaf in flat if _is_float(leaf)]
        if not numbers:
            return outcome
        wrong = iter(self.damage(tuple(numbers)))
        spoilt = [np.asarray(next(wrong)) if _is_float(leaf) else leaf for leaf in flat]
        self.changed = self.changed or not _same(flat, spoilt)
        return replace(outcome, value=rebuild(outcome.value, spoilt))


def _is_float(leaf: Any) -> bool:
    return np.asarray(leaf).dtype.kind == "f"


def _same(old: Iterable[Any], new: Iterable[Any]) -> bool:
    return all(np.array_equal(one, two) for one, two in zip(old, new, strict=True))
