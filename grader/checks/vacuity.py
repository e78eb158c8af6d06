"""A check that a zero, identity or sign-flipped answer would pass says nothing: the course's fault."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from grader.assignment import Exercise, Kind
from grader.cases import Case
from grader.numerics.comparison import compare
from grader.numerics.tolerance import Slack, tolerance_for, tolerance_of
from grader.numerics.trees import leaves, named_leaves
from grader.reference import Expected, Oracle

__all__ = ["vacuous"]


def vacuous(exercise: Exercise, cases: Sequence[tuple[Case, str]], oracle: Oracle) -> str | None:
    """Why the cases of a part can't tell right from wrong, or None.

    For each expected array some case must reject zeros and the sign-flipped array; for each parameter of a step or a
    training, also the parameter as it was. Of a function or a backward, what went in may be right for one array (dx is
    dout behind a bias), but not for all arrays of a check: then copying would pass.

    Args:
        exercise: whose part it is.
        cases: the part's cases with the aspect they are checked for.
        oracle: supplies the expected arrays.

    Raises:
        OracleError: the reference failed.
    """
    accepted: dict[tuple[str, str], bool] = {}
    for case, aspect in cases:
        for what, name, passes in _temptations(exercise, case, aspect, oracle):
            accepted[what, name] = accepted.get((what, name), True) and passes
    return next((f"{name} would pass as {what} in every case" for (what, name), yes in accepted.items() if yes), None)


def _temptations(exercise: Exercise, case: Case, aspect: str, oracle: Oracle) -> Iterator[tuple[str, str, bool]]:
    """(what, name of a tempting wrong result for it, whether it would pass) in a case."""
    if aspect == "result" or exercise.kind is Kind.DROPOUT:  # a rate and a scale, which none of these has
        return
    found = oracle.expected(exercise, case)
    arrays = list(_arrays(exercise, case, aspect, found))
    slacks: list[Slack | None] = [None] * len(arrays)
    if found.slack is not None and case.graph is None:
        slacks = [slack for _, slack, _ in _arrays(exercise, case, aspect, found.slack)]
    for (what, expected, given), slack in zip(arrays, slacks, strict=True):
        yield what, "all zeros", _passes(np.zeros_like(expected), expected, slack)
        yield what, "the sign-flipped array", _passes(-np.asarray(expected, dtype=np.float64), expected, slack)
        if exercise.kind in (Kind.STEP, Kind.TRAINING):
            yield what, "what went in", _passes(given, expected, slack)
    if exercise.kind not in (Kind.STEP, Kind.TRAINING):
        what = ", ".join(what for what, _, _ in arrays)
        name = "the upstream gradient" if aspect in ("backward", "gradient") else "the first input"
        yield what, name, all(_passes(given, expected) for _, expected, given in arrays)


def _arrays(exercise: Exercise, case: Case, aspect: str, expected: Expected) -> Iterator[tuple[str, Any, Any]]:
    """(what, expected array, what went in) for each array of a check."""
    name, start = next(iter(case.inputs.items()))
    if exercise.kind in (Kind.STEP, Kind.TRAINING):
        for (what, before), after in zip(named_leaves(start, name), leaves(expected.trajectory[-1]), strict=True):
            yield what, after, before
    elif case.graph is not None and aspect == "gradient":  # which leaves there are differs from case to case
        upstream = case.graph.backwards[-1].gradient
        flat = np.concatenate([np.ravel(array) for array in expected.gradients.values()])
        yield "the gradients", flat, np.ones(flat.shape) if upstream is None else np.ravel(upstream)
    elif aspect in ("backward", "gradient"):
        for name, tree in expected.gradients.items():
            for what, array in named_leaves(tree, f"d{name}"):
                yield what, array, leaves(case.upstream)[0]
    else:
        for what, array in named_leaves(expected.value, "the value"):
            yield what, array, leaves(start)[0]


def _passes(array: Any, expected: Any, slack: Slack | None = None) -> bool:
    if slack is not None:
        return compare(array, expected, replace(tolerance_of(expected, slack), dtype="")).passed
    return compare(array, expected, tolerance_for(expected, "float64")).passed
