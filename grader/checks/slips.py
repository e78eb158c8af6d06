"""Known slips (grader.slips) against wrong answers: which of them gives a student's arrays, all of them?

Asked only where a check has failed, and what the slips give in a case is computed once for a class. A slip is claimed
where it explains every array that the check compares, the right ones too, to the digits that a right answer needs, and
leaves less than a thousandth of the student's error.

What is told where a pattern of one array (grader.numerics.diagnosis) is found too? The pattern, if it names a cause and
is the same of all wrong arrays: it was measured ("1/3 of the expected one, and N = 3"). In all other cases the slip: it
explains the arrays at once, where patterns explain one each, and its words were chosen for the exercise.

Slips of the exercise itself go before those of the layers that it calls, which are judged by themselves. Two slips may
give the same arrays in a case (a mean over a batch of 1 is its sum). Then both are told, with "or", and only where no
pattern names a cause: that is sure to hold, and short enough to be of use. Of more, none is told. A slip in all
calls of a layer goes before one in a single call: the gradient of x, say, shows in no call but the later ones, and who
has one wrong layer calls it everywhere.

Where the student's function raises, no array tells. There the slip that explains the arrays of the exercise's other
cases is told, if it raises in this one too; and of two slips that give the same in one case, the one that explains all
others as well (grader.grading).

Nothing of a slip decides a point, and what is said of one holds no numbers: it is said of a hidden case too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, TypeAlias

import numpy as np

from grader.assignment import Exercise
from grader.cases import Case
from grader.checks.question import Question
from grader.checks.values import Cause, Leaf
from grader.errors import OracleError
from grader.findings import Finding
from grader.numerics.comparison import Comparison, compare
from grader.numerics.tolerance import tolerance_for
from grader.numerics.trees import leaves, same_structure
from grader.reference import Expected, Oracle
from grader.slips import Slip, Variant

__all__ = ["cause_of", "gives", "raises_too", "recognised", "same_value", "sharpened", "slips_named", "tried"]

Results: TypeAlias = Sequence[tuple[Leaf, Any, Comparison]]
Named: TypeAlias = Callable[[Expected], Mapping[str, Any]]
"""What a slip gives, by the names that the compared arrays have."""

MOST = 128
"""Slips that are tried in a check."""
LEFT = 1e-3
"""Share of a student's error that may be left of it, measured from the slip's arrays."""


def recognised(question: Question, results: Results, named: Named, out: Any = None) -> Cause | None:
    """What explains these results, of which none or some are wrong; None if nothing is known to.

    Of a gradient `out` is the student's forward result. A slip with a wrong value claims that too: it must be this one.
    """

    def fits(made: Expected) -> bool:
        right = question.oracle.expected(question.exercise, question.case).value
        return out is None or any(same_value(made.value, value) for value in (right, out))

    return cause_of(tried(question, results, lambda made: named(made) if fits(made) else {}))


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
        if made is not None and gives(named(made), results):
            found.append(variant)
    return found


def cause_of(variants: Sequence[Variant]) -> Cause | None:
    """What is said of slips that give the same arrays."""
    everywhere = {(variant.slip.name, variant.replaced) for variant in variants if not variant.call}
    told = [one for one in variants if not one.call or (one.slip.name, one.replaced) not in everywhere]
    causes: dict[str, Variant] = {}
    for variant in told:
        causes.setdefault(variant.where + variant.slip.likely, variant)
    own = {likely: variant for likely, variant in causes.items() if not variant.layer}
    causes = own or causes
    if not 1 <= len(causes) <= 2:
        return None
    return Cause(
        pattern="; or ".join(dict.fromkeys(variant.where + variant.slip.pattern for variant in causes.values())),
        likely="; or ".join(causes),
        name=f"SLIP {' or '.join(dict.fromkeys(variant.slip.name for variant in causes.values()))}",
        alone=len(causes) == 1,
    )


def raises_too(oracle: Oracle, exercise: Exercise, case: Case, likely: str, *, backward: bool) -> bool:
    """Whether a slip of the exercise with this cause raises in a case, on its way back at least if `backward`."""
    made = [
        oracle.slipped(exercise, case, Variant(slip=slip, replaced=exercise.reference))
        for slip in oracle.slips(exercise)
        if slip.likely == likely
    ]
    return any(one is None or (backward and not one.gradients) for one in made)


def sharpened(told: Finding, slips: Sequence[Slip], likely: str) -> Finding:
    """A finding that names several slips of an exercise, of which other cases leave those with this cause."""
    named = slips_named(told, slips)
    if len(named) < 2 or told.pattern != "; or ".join(slip.pattern for slip in named):
        return told
    (left, *_) = (slip for slip in named if slip.likely == likely)
    return replace(told, pattern=left.pattern, likely=likely, diagnosis=f"SLIP {left.name}")


def slips_named(told: Finding, slips: Sequence[Slip]) -> list[Slip]:
    """The slips of an exercise that a finding names; none if it names one of a layer too."""
    names = told.diagnosis.removeprefix("SLIP ").split(" or ")
    found = [slip for name in names for slip in slips if slip.name == name]
    return found if len(found) == len(names) else []


def _can_tell(leaf: Leaf, actual: Any) -> bool:
    """Whether equality of these arrays says anything: of a yes or no, or of no number, it does not, of NaN it does."""
    given = np.asarray(actual)
    return bool(leaf.expected.dtype.kind != "b" and given.dtype.kind in "iuf" and given.size)


def gives(made: Mapping[str, Any], results: Results) -> bool:
    """Whether these arrays are the student's, all of them, to the digits that a right answer needs."""
    return all(
        leaf.name in made and _explains(np.asarray(made[leaf.name]), leaf, actual, comparison)
        for leaf, actual, comparison in results
    )


def same_value(made: Any, value: Any) -> bool:
    """Whether two forward results are equal."""
    if not same_structure(value, made):
        return False
    pairs = [(one, np.asarray(other, dtype=np.float64)) for one, other in zip(leaves(value), leaves(made), strict=True)]
    return all(
        compare(one, other, tolerance_for(other, np.float64)).passed or _all_nan(one, other) for one, other in pairs
    )


def _all_nan(one: Any, other: Any) -> bool:
    return np.shape(one) == np.shape(other) and bool(np.all(np.isnan(one)) and np.all(np.isnan(other)))


def _explains(made: np.ndarray[Any, Any], leaf: Leaf, actual: Any, comparison: Comparison) -> bool:
    given = np.asarray(actual)
    if made.shape != given.shape or made.dtype.kind not in "biuf":
        return False
    made, given = made.astype(np.float64), given.astype(np.float64)
    finite = np.isfinite(made) & np.isfinite(given)
    if not np.array_equal(made[~finite], given[~finite], equal_nan=True):
        return False
    tolerance = tolerance_for(made, np.float64)
    error = np.abs(given - made)[finite]
    allowed = max(tolerance.atol, leaf.tolerance.atol) + tolerance.rtol * np.abs(made[finite])
    if not np.all(error <= allowed):
        return False
    if comparison.passed or given.shape != leaf.expected.shape:
        return True
    expected = leaf.expected.astype(np.float64)[finite]
    return bool(np.linalg.norm(error) <= LEFT * np.linalg.norm(given[finite] - expected))
