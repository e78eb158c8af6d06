"""Is an assignment fair, and does it see what is wrong? Measured on its own worked solution.

right     the worked solution under many seeds: how often is it not passed, and how near was it to that?
vacuous   would zeros, a copy of what went in, or the wrong sign pass?
wrong     mutants and damages of the worked solution: does each lose points, and by which case?
holes     what lost none, tried on other configurations: is it right after all, or is a case missing?

calibrate(assignment) -> Calibration, which grader.authoring.calibration_text paints
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from grader import __version__
from grader.assignment import Assignment, Exercise
from grader.authoring.configurations import as_toml
from grader.authoring.survivors import ROUNDING, Bank, Looked, bank, look_closer
from grader.authoring.trying import (
    OwnCode,
    Rightness,
    Tried,
    Version,
    damaged_versions,
    mutated_versions,
    rightness,
    seconds_for,
    try_right,
    try_versions,
    worked_solution,
)
from grader.cases import draw_case
from grader.checks.vacuity import vacuous
from grader.grading import prepare
from grader.reference import Oracle
from grader.report.writing import write_whole

__all__ = ["Calibration", "CaseKills", "ExerciseCalibration", "Survivor", "calibrate", "upper_bound", "write"]

CONFIDENCE: Final = 0.95


class Survivor(msgspec.Struct, frozen=True, kw_only=True):
    """A wrong version that lost no points, and why."""

    version: str
    kind: str
    hole: str = ""
    """The case that fails it, as it would stand in the manifest; empty if none was found."""
    reason: str
    """Why it is called equivalent, or what the judge says of it in that case."""


class CaseKills(msgspec.Struct, frozen=True, kw_only=True):
    """What a case is good for."""

    case: str
    killed: int
    alone: int
    """Of these, how many no other case catches."""


class ExerciseCalibration(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of one exercise."""

    name: str
    checks: int
    """Of the worked solution, under all seeds."""
    not_passed: list[str]
    false_fails_below: float
    """Upper bound of the rate at which checks of right code don't pass, with 95 % confidence."""
    margin: float
    """Largest error / allowed of the worked solution: at 1 it would have failed."""
    nearest: str
    vacuous: list[str]
    """Parts whose cases can't tell, with why."""
    versions: int
    """Wrong ones: mutants, damages and whatever else was tried."""
    killed: int
    raised: int
    """Of the killed, those that fell by an exception and not by their numbers."""
    endless: int
    undecided: int
    equivalent: list[Survivor]
    holes: list[Survivor]
    cases: list[CaseKills]
    milliseconds: float
    """CPU time of a version, on average."""


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured of an assignment."""

    assignment: str
    gradmark: str
    digest: str
    seeds: int
    exercises: list[ExerciseCalibration]
    seconds: float

    @property
    def vacuous(self) -> bool:
        """Whether some part's cases can't tell right from wrong."""
        return any(exercise.vacuous for exercise in self.exercises)

    @property
    def clean(self) -> bool:
        """Whether nothing right failed, and nothing wrong passed."""
        return not any(exercise.not_passed or exercise.holes for exercise in self.exercises)


def calibrate(
    assignment: Assignment,
    *,
    seeds: int = 50,
    most: int | None = None,
    workers: int = 1,
    more: Sequence[Version] = (),
    progress: Callable[[str], None] = lambda text: None,
) -> Calibration:
    """Measure an assignment.

    Args:
        assignment: with a worked solution.
        seeds: how many to judge the worked solution under.
        most: how many mutants at most; all if not given.
        workers: forks at once.
        more: further wrong versions (known wrong references, say).
        progress: called with what is being done.

    Raises:
        CourseError: there is no worked solution, it does not parse, or the reference fails.
        MachineError: no fork can be made.
    """
    start = time.perf_counter()
    source = worked_solution(assignment)
    progress("the reference's values")
    oracle = Oracle(assignment)
    prepare(oracle)
    empty = {exercise.name: _vacuous(assignment, oracle, exercise) for exercise in assignment.exercises}
    first = rightness(assignment, oracle, OwnCode(source, assignment.profile))
    patience = seconds_for({each.exercise: each.seconds for each in first})
    right = first + try_right(
        assignment,
        {"": lambda: OwnCode(source, assignment.profile)},
        [assignment.seed + number for number in range(1, seeds)],
        workers=workers,
        progress=lambda done: progress(f"the worked solution, seed {done + 1} of {seeds}"),
    )
    versions = (
        *mutated_versions(assignment, source, most=most),
        *damaged_versions(assignment, source),
        *more,
    )
    tried = try_versions(
        assignment,
        oracle,
        versions,
        seconds=patience,
        workers=workers,
        progress=lambda done: progress(f"wrong version {done} of {len(versions)}"),
    )
    changed = [number for number, each in enumerate(tried) if each.codes != ["UNCHANGED"]]
    versions, tried = tuple(versions[number] for number in changed), [tried[number] for number in changed]
    surviving = [number for number, each in enumerate(tried) if not each.killed]
    banks: dict[str, Bank] = {}
    for name in dict.fromkeys(name for number in surviving for name in versions[number].exercises):
        progress(f"other configurations of {name}")
        evaluator = OwnCode(source, assignment.profile)
        banks[name] = bank(assignment, oracle, assignment.exercise(name), evaluator)
    looked = look_closer(
        assignment,
        oracle,
        [versions[number] for number in surviving],
        banks,
        workers=workers,
        progress=lambda done: progress(f"survivor {done} of {len(surviving)}"),
    )
    closer = dict(zip(surviving, looked, strict=True))
    return Calibration(
        assignment=assignment.name,
        gradmark=__version__,
        digest=assignment.digest,
        seeds=seeds,
        exercises=[
            _exercise(exercise, empty[exercise.name], right, versions, tried, closer, banks)
            for exercise in assignment.exercises
        ],
        seconds=time.perf_counter() - start,
    )


def _vacuous(assignment: Assignment, oracle: Oracle, exercise: Exercise) -> list[str]:
    """Parts whose cases can't tell, with why.

    Raises:
        CourseError: the reference fails.
    """
    found = []
    for part in exercise.parts:
        cases = [(draw_case(assignment, exercise, case), aspect) for case, aspect in part.checks]
        problem = vacuous(exercise, cases, oracle)
        if problem is not None:
            found.append(f"{part.name}: {problem}")
    return found


def _exercise(
    exercise: Exercise,
    empty: list[str],
    right: Sequence[Rightness],
    versions: Sequence[Version],
    tried: Sequence[Tried],
    closer: dict[int, Looked],
    banks: dict[str, Bank],
) -> ExerciseCalibration:
    own = [each for each in right if each.exercise in (exercise.name, "")]
    checks = sum(each.checks for each in own)
    not_passed = [told for each in own for told in each.not_passed]
    nearest = max(own, key=lambda each: each.margin, default=None)
    numbers = [number for number, each in enumerate(tried) if _belongs(exercise, versions[number], each)]
    mine = [tried[number] for number in numbers]
    survivors = [
        _survivor(versions[number], tried[number], closer[number], banks) for number in numbers if number in closer
    ]
    return ExerciseCalibration(
        name=exercise.name,
        checks=checks,
        not_passed=not_passed,
        false_fails_below=upper_bound(len(not_passed), checks),
        margin=nearest.margin if nearest else 0.0,
        nearest=nearest.nearest if nearest else "",
        vacuous=empty,
        versions=len(mine),
        killed=sum(each.killed for each in mine),
        raised=sum(each.raised for each in mine),
        endless=sum(each.endless for each in mine),
        undecided=sum(each.undecided for each in mine),
        equivalent=[survivor for survivor in survivors if not survivor.hole],
        holes=[survivor for survivor in survivors if survivor.hole],
        cases=_cases(exercise, mine),
        milliseconds=1000 * sum(each.seconds for each in mine) / len(mine) if mine else 0.0,
    )


def _belongs(exercise: Exercise, version: Version, tried: Tried) -> bool:
    """Whether a version counts for an exercise: the one that killed it, or the first that it is of."""
    by = {case.partition(": ")[0] for case in tried.cases} or set(version.exercises[:1])
    return exercise.name in by


def _survivor(version: Version, tried: Tried, looked: Looked, banks: dict[str, Bank]) -> Survivor:
    hole = ""
    if looked.hole is not None:
        found = banks[looked.exercise]
        hole = as_toml(found.exercise, found.configurations[looked.hole].spec)
    return Survivor(version=version.words, kind=version.kind, hole=hole, reason=_reason(tried, looked))


def _reason(tried: Tried, looked: Looked) -> str:
    if looked.found:
        return looked.found
    if tried.undecided:
        return "undecided: the judge can't tell, and takes no points"
    where = f"in {looked.tried} other configurations"
    if looked.tried == 0:
        return "no other configuration was found that the worked solution passes"
    if looked.apart == 0.0:
        return f"the same results, bit by bit, {where}"
    if looked.apart is not None and looked.apart < ROUNDING:
        return f"the same but for rounding {where}: at most {looked.apart:.0e} of the largest element away"
    away = "" if looked.apart is None else f", up to {looked.apart:.0e} of the largest element"
    return f"right {where}, though its results are others{away}"


def _cases(exercise: Exercise, tried: Sequence[Tried]) -> list[CaseKills]:
    found = []
    for case in exercise.cases:
        name = f"{exercise.name}: {case.name}"
        killed = [each for each in tried if name in each.cases]
        found.append(CaseKills(case=case.name, killed=len(killed), alone=sum(len(each.cases) == 1 for each in killed)))
    return found


def upper_bound(found: int, tries: int, confidence: float = CONFIDENCE) -> float:
    """Rate that is exceeded with this confidence nowhere (Clopper and Pearson, one-sided): about 3 / n for 0 of n."""
    if found >= tries:
        return 1.0
    low, high = found / tries, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(found, tries, middle) > 1 - confidence else (low, middle)
    return high


def _at_most(found: int, tries: int, rate: float) -> float:
    """Probability of at most this many in so many tries."""
    if rate <= 0.0 or rate >= 1.0:
        return 1.0 if rate <= 0.0 else 0.0
    log = math.lgamma
    return sum(
        math.exp(
            log(tries + 1) - log(k + 1) - log(tries - k + 1) + k * math.log(rate) + (tries - k) * math.log1p(-rate)
        )
        for k in range(found + 1)
    )


def write(calibration: Calibration, path: Path) -> None:
    """Write it as JSON.

    Raises:
        MachineError: the file can't be written.
    """
    write_whole(msgspec.json.format(msgspec.json.encode(calibration), indent=2) + b"\n", path, "the calibration")
