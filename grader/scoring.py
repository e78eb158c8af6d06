"""Points, exactly: from checks to parts to the score. Pure, in fractions; nothing is rounded on the way.

A part earns its points if all of its checks passed. A check that the student failed leaves the share that it grants
(a right backward of a wrong forward), and a part earns the smallest share among its checks. A check that could not
be decided, by the course's or the machine's fault, makes the points it might still have earned *undecided*: neither
earned nor lost. The points possible come from the assignment alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from grader.assignment import Assignment, Part
from grader.findings import Check, Verdict

__all__ = ["PartScore", "Score", "score", "score_part"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartScore:
    """Points of one part."""

    part: Part
    verdict: Verdict
    earned: Fraction
    undecided: Fraction

    def __post_init__(self) -> None:
        if not (self.earned >= 0 and self.undecided >= 0 and self.earned + self.undecided <= self.part.points):
            raise ValueError(f"{self.earned} + {self.undecided} of {self.part.points} points")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Points of an assignment, part by part."""

    parts: tuple[PartScore, ...]

    @property
    def possible(self) -> Fraction:
        """Points possible."""
        return sum((part.part.points for part in self.parts), Fraction(0))

    @property
    def earned(self) -> Fraction:
        """Points earned."""
        return sum((part.earned for part in self.parts), Fraction(0))

    @property
    def undecided(self) -> Fraction:
        """Points neither earned nor lost."""
        return sum((part.undecided for part in self.parts), Fraction(0))

    @property
    def verdict(self) -> Verdict:
        """Failed if any part failed; else undecided if any is; else passed."""
        verdicts = {part.verdict for part in self.parts}
        for verdict in (Verdict.FAILED, Verdict.UNDECIDED):
            if verdict in verdicts:
                return verdict
        return Verdict.PASSED


def score_part(part: Part, checks: Iterable[Check]) -> PartScore:
    """Score one part from its checks. A check that is missing is undecided: silence is not success."""
    by_key = {(check.case, check.aspect): check for check in checks}
    found = [by_key.get((case.name, aspect)) for case, aspect in part.checks]
    share = min((check.credit for check in found if check and check.verdict is Verdict.FAILED), default=Fraction(1))
    failed = any(check is not None and check.verdict is Verdict.FAILED for check in found)
    open_ = any(check is None or check.verdict is Verdict.UNDECIDED for check in found)
    points = part.points * share
    return PartScore(
        part=part,
        verdict=Verdict.FAILED if failed else Verdict.UNDECIDED if open_ else Verdict.PASSED,
        earned=Fraction(0) if open_ else points,
        undecided=points if open_ else Fraction(0),
    )


def score(assignment: Assignment, checks: Iterable[Check]) -> Score:
    """Score an assignment; every part counts, whatever ran."""
    checks = list(checks)
    return Score(
        parts=tuple(
            score_part(part, [check for check in checks if (check.exercise, check.part) == (part.exercise, part.name)])
            for part in assignment.parts
        )
    )
