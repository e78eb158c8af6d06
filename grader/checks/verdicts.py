"""Yes or no: what all cases of an exercise tell together.

One case holds a few answers, and many mistakes give the same ones: a checker that accepts everything, and one that
looks at the first component only, differ in two of eight. So what one case shows is no evidence. A slip is told where
it gives every answer of the exercise so far, the right ones too, and there are enough of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from grader.assignment import Exercise
from grader.cases import Case
from grader.checks.slips import cause_of
from grader.checks.values import Cause, Leaf
from grader.errors import OracleError
from grader.findings import Finding, FindingCode
from grader.numerics.comparison import Comparison
from grader.numerics.trees import leaves
from grader.reference import Oracle
from grader.slips import Variant

__all__ = ["cause_of_verdicts", "verdicts_in", "with_verdicts"]

LEAST: Final = 24
"""Answers that a slip must give to be told."""


def verdicts_in(results: Sequence[tuple[Leaf, Any, Comparison]]) -> tuple[bool, ...]:
    """The answers of yes or no; empty where other things were asked for or answered."""
    given = [np.asarray(actual) for _, actual, _ in results]
    if not all(
        leaf.expected.dtype.kind == "b" and one.shape == leaf.expected.shape and _is_yes_or_no(one)
        for (leaf, _, _), one in zip(results, given, strict=True)
    ):
        return ()
    return _flat(given)


def cause_of_verdicts(
    oracle: Oracle, exercise: Exercise, answers: Sequence[tuple[Case, tuple[bool, ...]]]
) -> Cause | None:
    """What explains all these answers to the cases of an exercise; None if nothing is known to, or they are few."""
    if sum(len(given) for _, given in answers) < LEAST:
        return None
    try:
        known = [Variant(slip=slip, replaced=exercise.reference) for slip in oracle.slips(exercise)]
    except OracleError:
        return None
    return cause_of([one for one in known if all(_says(oracle, exercise, one, *answer) for answer in answers)])


def with_verdicts(told: Finding, cause: Cause | None) -> Finding:
    """A finding about wrong answers with what explains them all."""
    if cause is None or told.code is not FindingCode.WRONG_VALUE:
        return told
    pattern = "; ".join(filter(None, (told.pattern, cause.pattern)))
    return replace(told, pattern=pattern, likely=cause.likely, diagnosis=cause.name)


def _says(oracle: Oracle, exercise: Exercise, variant: Variant, case: Case, given: tuple[bool, ...]) -> bool:
    made = oracle.slipped(exercise, case, variant)
    return made is not None and _flat(leaves(made.value)) == given


def _is_yes_or_no(given: np.ndarray[Any, Any]) -> bool:
    return given.dtype.kind in "biuf" and bool(np.all((given == 0) | (given == 1)))


def _flat(arrays: Iterable[Any]) -> tuple[bool, ...]:
    return tuple(bool(answer) for array in arrays for answer in np.ravel(array))
