"""A check that a zero, identity or sign-flipped answer would pass says nothing: the course's fault."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from grader.assignment import Exercise, Kind
from grader.cases import Case
from grader.numerics.comparison import compare
from grader.numerics.tolerance import tolerance_for
from grader.numerics.trees import leaves, named_leaves
from grader.reference import Expected, Oracle

__all__ = ["vacuous"]


def vacuous(exercise: Exercise, cases: Sequence[tuple[Case, str]], oracle: Oracle) -> str | None:
    """Why the cases of a part can't tell right from wrong, or None.

    For each expected array some case must reject zeros, the sign-flipped array and, where the shapes allow it, what
    went in (the input, the upstream gradient, the parameters before the step).

    Args:
        exercise: whose part it is.
        cases: the part's cases with the aspect they are checked for.
        oracle: supplies the expected arrays.

    Raises:
        OracleError: the reference failed.
    """
    accepted: dict[tuple[str, str], bool] = {}
    for case, aspect in cases:
        for what, expected, wrong in _temptations(exercise, case, aspect, oracle):
            for name, array in wrong:
                passes = compare(array, expected, tolerance_for(expected, "float64")).passed
                accepted[what, name] = accepted.get((what, name), True) and passes
    for (what, name), passes in accepted.items():
        if passes:
            return f"{name} would pass as {what} in every case"
    return None


Wrong = list[tuple[str, Any]]


def _temptations(exercise: Exercise, case: Case, aspect: str, oracle: Oracle) -> Iterable[tuple[str, Any, Wrong]]:
    """(what, expected array, tempting wrong arrays) of a case."""
    if aspect == "result":
        return
    expected = oracle.expected(exercise, case)
    if exercise.kind in (Kind.STEP, Kind.TRAINING):
        start = next(iter(case.inputs.values()))
        yield from _changes(exercise, start, expected)
    elif aspect in ("backward", "gradient"):
        for name, tree in expected.gradients.items():
            for label, array in named_leaves(tree, f"d{name}"):
                yield label, array, _usual(array, "the upstream gradient", case.upstream)
    else:
        first = next(iter(leaves(next(iter(case.inputs.values())))))
        yield "the value", expected.value, _usual(expected.value, "the first input", first)


def _usual(array: Any, name: str, identity: Any) -> Wrong:
    wrong: Wrong = [("all zeros", np.zeros_like(array)), ("the sign-flipped array", -array)]
    if identity is not None and np.shape(identity) == np.shape(array):
        wrong.append((name, identity))
    return wrong


def _changes(exercise: Exercise, start: Any, expected: Expected) -> Iterable[tuple[str, Any, Wrong]]:
    for (label, before), after in zip(
        named_leaves(start, next(iter(exercise.inputs))), leaves(expected.trajectory[-1]), strict=True
    ):
        yield label, after, [("all zeros", np.zeros_like(after)), ("what went in", before)]
