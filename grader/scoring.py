"""Points, exactly: from checks to parts to the score. Pure, in fractions; nothing is rounded on the way.

A part earns its points if all of its checks passed. A check that the student failed leaves the share that it grants
(a right backward of a wrong forward), and a part earns the smallest share among its checks. A check that could not
be decided, by the course's or the machine's fault, makes the points it might still have earned *undecided*: neither
earned nor lost. Where it needs what this machine has not (a GPU), they are *pending*: another machine can settle them.
The points possible come from the assignment alone.

Further settings (grader.settings) each have a share of the part's points and the main one has the rest. What is said
above holds for each by itself: a file that only fails on torch tensors loses just their share.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from grader.assignment import Assignment, Part
from grader.findings import Check, Verdict

__all__ = ["PartScore", "Score", "score", "score_part", "worst"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartScore:
    """Points of one part."""

    part: Part
    verdict: Verdict
    earned: Fraction
    undecided: Fraction
    pending: Fraction = Fraction(0)

    def __post_init__(self) -> None:
        every = (self.earned, self.undecided, self.pending)
        if not (min(every) >= 0 and sum(every) <= self.part.points):
            raise ValueError(f"{' + '.join(map(str, every))} of {self.part.points} points")


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
    def pending(self) -> Fraction:
        """Points that another machine can settle."""
        return sum((part.pending for part in self.parts), Fraction(0))

    @property
    def verdict(self) -> Verdict:
        """That of the parts together."""
        return worst(part.verdict for part in self.parts)


def worst(verdicts: Iterable[Verdict | str]) -> Verdict:
    """Failed if any is; else undecided if any is; else pending if any is; else passed."""
    found = set(verdicts)
    return next(
        (each for each in (Verdict.FAILED, Verdict.UNDECIDED, Verdict.PENDING) if each in found), Verdict.PASSED
    )


def score_part(part: Part, checks: Iterable[Check]) -> PartScore:
    """Score one part from its checks. A check that is missing is undecided: silence is not success."""
    by_key = {(check.setting, check.case, check.aspect): check for check in checks}
    shares = [(None, 1 - sum(share for _, share in part.also_on)), *part.also_on]
    points = dict.fromkeys(Verdict, Fraction(0))
    verdicts = []
    for setting, share in shares:
        asked = part.checks if setting is None else part.also_asked
        found = [by_key.get((setting, case.name, aspect)) for case, aspect in asked]
        verdict, ended, kept = _outcome(found)
        verdicts.append(verdict)
        points[ended] += part.points * share * kept
    return PartScore(
        part=part,
        verdict=worst(verdicts),
        earned=points[Verdict.PASSED],
        undecided=points[Verdict.UNDECIDED],
        pending=points[Verdict.PENDING],
    )


def _outcome(checks: Sequence[Check | None]) -> tuple[Verdict, Verdict, Fraction]:
    """Of the checks in one setting the verdict, then what becomes of which share: PASSED says that it is earned."""
    verdicts = {Verdict.UNDECIDED if check is None else check.verdict for check in checks}
    kept = min((check.credit for check in checks if check and check.verdict is Verdict.FAILED), default=Fraction(1))
    return worst(verdicts), worst(verdicts - {Verdict.FAILED}), kept


def score(assignment: Assignment, checks: Iterable[Check]) -> Score:
    """Score an assignment; every part counts, whatever ran."""
    checks = list(checks)
    return Score(
        parts=tuple(
            score_part(part, [check for check in checks if (check.exercise, check.part) == (part.exercise, part.name)])
            for part in assignment.parts
        )
    )
