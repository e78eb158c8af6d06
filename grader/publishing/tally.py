"""What is told of a class: how its points lie, the parts by success, the mistakes most made. Pure.

`look` keeps of a report what the class is told of it, a few hundred bytes, so that a class of any size is read one
report at a time; `tally` counts.

A part's *difficulty* is the mean share of its points that was earned. Its *discrimination* is the point-biserial
correlation between having it right and the share earned of all other parts (without itself: a part would explain
itself). Both leave out those whose result is undecided. See Lord & Novick, "Statistical Theories of Mental Test
Scores" (1968), chapter 15.
"""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from grader.gradebook import Attempt, Points
from grader.report.console import only_unwritten, told_everywhere
from grader.report.model import FindingReport, PartReport, Report

__all__ = ["BINS", "ClassTally", "Found", "Mistake", "Outcome", "PartTally", "Seen", "bin_of", "look", "tally"]

Outcome: TypeAlias = Literal["right", "partly", "wrong", "not written", "undecided", "pending"]

BINS: Final = 10
"""Of the distribution, and one more for all points."""
ENOUGH: Final = 10
"""Students, from which on a correlation is told."""
_CONSEQUENCES: Final = ("NOT_RUN", "NOT_WRITTEN", "FAILS_ALREADY", "PENDING")
"""Said of a part because of something else, or of one that nobody wrote: no mistakes."""
_TITLES: Final = {"NUMERICAL_DERIVATIVE": "it differentiates numerically, in place of a formula"}
"""Of findings that are a cause themselves."""
_NUMERICALLY: Final = "it differentiates numerically"
"""How the cause of a wrong gradient begins that was taken by differences (grader/checks/pairs.py)."""
_OF_A_PART: Final = ("WRONG_VALUE", "WRONG_GRADIENT", "WRONG_SHAPE", "WRONG_DTYPE", "NOT_FINITE", "WRONG_TRAJECTORY")
"""Their headlines name an array, and those of other parts have the same names."""
_NUMBER: Final = re.compile(r"(?<![\w'\"\[])\d[\d.,e+%-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A mistake of one student, once for each part that it is in."""

    key: tuple[str, ...]
    """The same for the same mistake of others."""
    title: str
    known: bool
    """Whether the title is a cause that was tested, and not only what was seen."""
    part: str
    headline: str
    worst: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the class is told of one student."""

    student: str
    name: str
    address: str
    points: Points
    verdict: str
    late: bool
    parts: Mapping[str, tuple[Points, Outcome]]
    """By `exercise / part`, in the order of the assignment."""
    found: tuple[Found, ...]
    troubles: tuple[str, ...]
    """What is undecided, with whose fault; the machine's first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartTally:
    """One part of the assignment."""

    name: str
    possible: float
    outcomes: Mapping[Outcome, tuple[int, ...]]
    """Students, by their place in the class."""
    difficulty: float | None
    """Mean share of its points; None if nobody's is decided."""
    discrimination: float | None
    """None where it can't be told: few students, or all alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """One mistake and who made it."""

    title: str
    known: bool
    parts: tuple[str, ...]
    """Where it was made, the most frequent first."""
    students: Mapping[int, tuple[Found, ...]]
    """By place in the class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTally:
    """All that an overview tells."""

    students: tuple[Seen, ...]
    """Most points first, then by id."""
    possible: float
    mean: float
    median: float
    bins: tuple[tuple[int, ...], ...]
    """Students by tenths of the points; those with all of them in the last."""
    parts: tuple[PartTally, ...]
    mistakes: tuple[Mistake, ...]
    """The most made first."""


# ----------------------------------------------------------------------------------------------------- of one student


def look(attempt: Attempt, points: Points, report: Report, address: str = "") -> Seen:
    """What the class is told of a student's report."""
    parts = [(f"{exercise.name} / {part.name}", part) for exercise in report.exercises for part in exercise.parts]
    return Seen(
        student=attempt.student,
        name=attempt.name,
        address=address,
        points=points,
        verdict=report.score.verdict,
        late=attempt.late,
        parts={name: (_points(part), _outcome(part)) for name, part in parts},
        found=tuple(_found(report, parts)),
        troubles=tuple(_troubles(parts)),
    )


def _points(part: PartReport) -> Points:
    return Points(earned=part.earned, undecided=part.undecided, possible=part.possible, pending=part.pending)


def _outcome(part: PartReport) -> Outcome:
    match part.verdict:
        case "passed":
            return "right"
        case "undecided" | "pending":
            return part.verdict
        case _:
            return "not written" if only_unwritten(part) else "partly" if part.earned else "wrong"


def _found(report: Report, parts: Sequence[tuple[str, PartReport]]) -> Iterator[Found]:
    """A student's mistakes, each once for a part; of a submission that does not load, once."""
    everything = told_everywhere(report)
    if everything is not None:
        if everything.fault == "student":
            yield _as_found(everything, parts[0][0], (everything.code,))
        return
    for name, part in parts:
        told = set()
        for check in part.checks:
            for finding in check.findings:
                if finding.warning or finding.fault != "student" or finding.code in _CONSEQUENCES:
                    continue
                key = _key(finding, name)
                if key not in told:
                    told.add(key)
                    yield _as_found(finding, name, key)


def _as_found(finding: FindingReport, part: str, key: tuple[str, ...]) -> Found:
    title = _TITLES.get(key[0], "")
    return Found(
        key=key,
        title=title or finding.likely or _stem(finding),
        known=bool(title or finding.likely),
        part=part,
        headline=finding.headline[:300],
        worst=finding.worst[:300],
    )


def _key(finding: FindingReport, part: str) -> tuple[str, ...]:
    """A cause, or what a function does, is one mistake wherever it shows; a wrong result is another in each part."""
    if finding.code in _TITLES:
        return (finding.code,)
    if finding.likely.startswith(_NUMERICALLY):
        return ("NUMERICAL_DERIVATIVE",)
    if finding.likely:
        return finding.diagnosis, _NUMBER.sub("#", finding.likely)
    return finding.code, part if finding.code in _OF_A_PART else "", _NUMBER.sub("#", _stem(finding))


def _stem(finding: FindingReport) -> str:
    """`dw is not the gradient`: a headline without what is different in every case."""
    name, _, rest = finding.headline.partition(": ")
    if finding.code == "NOT_LEARNED":
        return "the trained network does not reach what is asked"
    if finding.code == "WRONG_TRAJECTORY":
        return f"{name}: {rest.partition(' at step ')[0]}"
    return name[:200]


def _troubles(parts: Sequence[tuple[str, PartReport]]) -> Iterator[str]:
    told = Counter[tuple[str, str]]()
    for _, part in parts:
        for check in part.checks:
            if check.verdict == "undecided":
                headline = next((finding.headline for finding in check.findings), check.status)
                told[check.fault or "", headline[:300]] += 1
    for (fault, headline), count in sorted(told.items(), key=lambda item: item[0][0] != "machine"):
        whose = f"the {fault} at fault: " if fault else ""
        yield f"{whose}{headline} ({count} check{'s' * (count > 1)})"


# ---------------------------------------------------------------------------------------------------------- of a class


def tally(seen: Iterable[Seen]) -> ClassTally:
    """Count."""
    students = tuple(sorted(seen, key=lambda one: (-one.points.earned, one.student)))
    earned = [one.points.earned for one in students]
    names = dict.fromkeys(name for one in students for name in one.parts)
    bins: list[list[int]] = [[] for _ in range(BINS + 1)]
    for place, one in enumerate(students):
        bins[bin_of(one.points)].append(place)
    return ClassTally(
        students=students,
        possible=max((one.points.possible for one in students), default=0.0),
        mean=statistics.fmean(earned) if earned else 0.0,
        median=statistics.median(earned) if earned else 0.0,
        bins=tuple(map(tuple, bins)),
        parts=tuple(_part(name, students) for name in names),
        mistakes=tuple(_mistakes(students)),
    )


def bin_of(points: Points) -> int:
    """Which tenth of the points these are; the last is for all of them."""
    if points.full:
        return BINS
    return min(int(BINS * points.earned / points.possible), BINS - 1) if points.possible else 0


def _part(name: str, students: Sequence[Seen]) -> PartTally:
    outcomes: dict[Outcome, list[int]] = {}
    decided: list[tuple[float, bool, float]] = []
    possible = 0.0
    for place, one in enumerate(students):
        if name not in one.parts:
            continue
        points, outcome = one.parts[name]
        possible = max(possible, points.possible)
        outcomes.setdefault(outcome, []).append(place)
        if outcome not in ("undecided", "pending") and points.possible:
            rest = one.points.possible - one.points.undecided - one.points.pending - points.possible
            share = (one.points.earned - points.earned) / rest if rest > 0 else math.nan
            decided.append((points.earned / points.possible, outcome == "right", share))
    return PartTally(
        name=name,
        possible=possible,
        outcomes={outcome: tuple(places) for outcome, places in outcomes.items()},
        difficulty=statistics.fmean(share for share, _, _ in decided) if decided else None,
        discrimination=_correlation([(right, rest) for _, right, rest in decided if math.isfinite(rest)]),
    )


def _correlation(pairs: Sequence[tuple[bool, float]]) -> float | None:
    """Point-biserial; None where there are too few, or one of both is the same for all."""
    right, rest = [float(one) for one, _ in pairs], [other for _, other in pairs]
    if len(pairs) < ENOUGH or len(set(right)) < 2 or len(set(rest)) < 2:
        return None
    return statistics.correlation(right, rest)


def _mistakes(students: Sequence[Seen]) -> list[Mistake]:
    made: dict[tuple[str, ...], dict[int, list[Found]]] = {}
    for place, one in enumerate(students):
        for found in one.found:
            made.setdefault(found.key, {}).setdefault(place, []).append(found)
    return sorted(map(_mistake, made.values()), key=lambda mistake: (-len(mistake.students), mistake.title))


def _mistake(made: Mapping[int, Sequence[Found]]) -> Mistake:
    every = [found for founds in made.values() for found in founds]
    return Mistake(
        title=every[0].title,
        known=every[0].known,
        parts=tuple(part for part, _ in Counter(found.part for found in every).most_common()),
        students={place: tuple(founds) for place, founds in made.items()},
    )
