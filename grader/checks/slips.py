"""Known slips (grader.slips) against wrong answers: which of them gives a student's arrays, all of them?

Asked only where a check has failed, and what the slips give in a case is computed once for a class. A slip is claimed
where it explains every array that the check compares, the right ones too, to the digits that a right answer needs, and
leaves less than a thousandth of the student's error. It was written for the exercise and explains all arrays at once:
so it is told in the place of a pattern that was found in one array.

Two slips may give the same arrays in a case (a mean over a batch of 1 is its sum). Then both are told, with "or", and
only where no pattern names a cause: that is sure to hold, and short enough to be of use. Of more, none is told. A slip
in all calls of a layer goes before one in a single call: the gradient of x, say, shows in no call but the later ones,
and who has one wrong layer calls it everywhere.

Nothing of a slip decides a point, and what is said of one holds no numbers: it is said of a hidden case too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

import numpy as np

from grader.checks.question import Question
from grader.checks.values import Cause, Leaf
from grader.errors import OracleError
from grader.numerics.comparison import Comparison
from grader.numerics.tolerance import tolerance_for
from grader.reference import Expected
from grader.slips import Variant

__all__ = ["cause_of", "recognised", "tried"]

Results: TypeAlias = Sequence[tuple[Leaf, Any, Comparison]]
Named: TypeAlias = Callable[[Expected], Mapping[str, Any]]
"""What a slip gives, by the names that the compared arrays have."""

MOST = 64
"""Slips that are tried in a check."""
LEFT = 1e-3
"""Share of a student's error that may be left of it, measured from the slip's arrays."""


def recognised(question: Question, results: Results, named: Named) -> Cause | None:
    """What explains these results, of which none or some are wrong; None if nothing is known to."""
    return cause_of(tried(question, results, named))


def tried(question: Question, results: Results, named: Named, among: Sequence[Variant] | None = None) -> list[Variant]:
    """The slips that give these results.

    Args:
        question: what is asked.
        results: all arrays that the check compares, the right ones too.
        named: picks from what a slip gives.
        among: slips to try; all that are known for the exercise if not given.
    """
    wrong = [(leaf, actual) for leaf, actual, comparison in results if not comparison.passed]
    if not wrong or not all(_can_tell(leaf, actual) for leaf, actual in wrong):
        return []
    exercise, case = question.exercise, question.case
    try:
        candidates = question.oracle.variants(exercise, case) if among is None else among
    except OracleError:  # of the slips, or of a reference that will say so itself
        return []
    found = []
    for variant in islice(candidates, MOST):
        made = question.oracle.slipped(exercise, case, variant)
        if made is not None and _gives(named(made), results):
            found.append(variant)
    return found


def cause_of(variants: Sequence[Variant]) -> Cause | None:
    """What is said of slips that give the same arrays."""
    everywhere = {(variant.slip.name, variant.replaced) for variant in variants if not variant.call}
    told = [one for one in variants if not one.call or (one.slip.name, one.replaced) not in everywhere]
    causes: dict[str, Variant] = {}
    for variant in told:
        causes.setdefault(variant.where + variant.slip.likely, variant)
    if not 1 <= len(causes) <= 2:
        return None
    return Cause(
        pattern="; or ".join(dict.fromkeys(variant.where + variant.slip.pattern for variant in causes.values())),
        likely="; or ".join(causes),
        name=f"SLIP {' or '.join(dict.fromkeys(variant.slip.name for variant in causes.values()))}",
        alone=len(causes) == 1,
    )


def _can_tell(leaf: Leaf, actual: Any) -> bool:
    """Whether equality of these numbers says anything: not of a yes or no, nor where there are none but NaN."""
    given = np.asarray(actual)
    if leaf.expected.dtype.kind == "b" or given.dtype.kind not in "iuf" or given.shape != leaf.expected.shape:
        return False
    return bool(np.any(np.isfinite(given) & (given != leaf.expected)))


def _gives(made: Mapping[str, Any], results: Results) -> bool:
    return all(
        leaf.name in made and _explains(np.asarray(made[leaf.name]), leaf, actual, comparison)
        for leaf, actual, comparison in results
    )


def _explains(made: np.ndarray[Any, Any], leaf: Leaf, actual: Any, comparison: Comparison) -> bool:
    given = np.asarray(actual)
    if made.shape != given.shape or made.dtype.kind not in "biuf":
        return False
    made, given = made.astype(np.float64), given.astype(np.float64)
    finite = np.isfinite(made) & np.isfinite(given)
    if not np.array_equal(made[~finite], given[~finite], equal_nan=True):
        return False
    tolerance = tolerance_for(made, np.float64)
    error, expected = np.abs(given - made)[finite], leaf.expected.astype(np.float64)[finite]
    allowed = max(tolerance.atol, leaf.tolerance.atol) + tolerance.rtol * np.abs(made[finite])
    if not np.all(error <= allowed):
        return False
    return comparison.passed or bool(np.linalg.norm(error) <= LEFT * np.linalg.norm(given[finite] - expected))
