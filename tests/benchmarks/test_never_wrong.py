"""Never wrong about a student: right code is never failed, wrong code is never passed. The two figures, by topic.

    python -m pytest tests/benchmarks/test_never_wrong.py -m benchmark -s

Right: the worked solutions, what is right but odd in the corpus, each under several seeds from which all cases are
drawn, and the worked solutions in other words (grader.authoring.variants). Wrong: mutants of the worked solutions and
of the odd submissions, and damages of what the solutions return. What loses no points is tried on other configurations;
where one of them tells it from the right solution it counts as missed, else it is equivalent. Each of these is listed.

Two to ten minutes a topic on two cores; GRADMARK_TOPICS=mlp,conv takes these alone, and then asks for no number.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from grader.assignment import Assignment
from grader.authoring.calibration import upper_bound
from grader.authoring.corpus import compose, read_slips
from grader.authoring.forks import Ended, in_forks
from grader.authoring.survivors import bank, difference, look_closer
from grader.authoring.trying import (
    OwnCode,
    Tried,
    Version,
    damaged_versions,
    mutated_versions,
    right_versions,
    try_right,
    try_versions,
    worked_solution,
)
from grader.calls import Evaluator, Source
from grader.grading import prepare
from grader.manifest import load_assignment
from grader.reference import Oracle
from grader.sandbox.inprocess import InProcess
from grader.submission import read_submission
from grader.topics import assignment_names, find_manifest

SEEDS, SEEDS_ODD = 12, 4
MUTANTS, MUTANTS_ODD = 500, 20
"""At most: of a worked solution, and of an odd right submission."""
WORKERS = 2
SAME = 1e-6
"""What lies further apart is no variant: the rule it is made by does not hold there (a stack of matrices)."""

RIGHT, WRONG = 20_000, 5_000
"""Least numbers that the figures are of."""
CAUGHT = 0.999


@dataclass(slots=True, kw_only=True)
class Figures:
    """Of one topic."""

    checks: int = 0
    false_fails: list[str] = field(default_factory=list)
    no_variants: int = 0
    killed: int = 0
    missed: list[str] = field(default_factory=list)
    equivalent: list[str] = field(default_factory=list)


def odd_ones(assignment: Assignment, folder: Path) -> Iterator[tuple[str, Source]]:
    """Right but odd submissions of the corpus."""
    for slip in read_slips(assignment.name):
        if not slip.fails:
            submission = read_submission(compose(slip, assignment, folder), assignment)
            yield slip.name, assignment.with_course_code(submission.source)


def place(assignment: Assignment, source: Source) -> Callable[[], Evaluator]:
    """Where something right runs: what imports files of its own may do so at any time."""
    one_file = len(source.files) == 1
    return partial(OwnCode if one_file else InProcess, source, assignment.profile)


def apart(assignment: Assignment, oracle: Oracle, version: Version, solution: Source) -> float:
    """How far a variant lies from the solution; infinite if it never ends, and eats all memory on the way."""

    def work(number: int) -> bytes:
        return str(difference(assignment, oracle, version, place(assignment, solution))).encode()

    ((_, answer),) = in_forks(work, 1, seconds=120.0)
    return math.inf if isinstance(answer, Ended) else float(answer)


def measure(name: str, folder: Path) -> Figures:
    assignment = load_assignment(find_manifest(name))
    oracle, found = Oracle(assignment), Figures()
    prepare(oracle)
    solution, odd = worked_solution(assignment), list(odd_ones(assignment, folder))
    rights = {"worked solution": place(assignment, solution)}
    odds = {who: place(assignment, source) for who, source in odd}
    for what, seeds in ((rights | odds, SEEDS_ODD), (rights, SEEDS - SEEDS_ODD)):
        first = 100 if what is not rights else 100 + SEEDS_ODD
        right = try_right(assignment, what, range(first, first + seeds), seconds=900.0, workers=WORKERS)
        found.checks += sum(each.checks for each in right)
        found.false_fails += [f"{each.who}: {told}" for each in right for told in each.not_passed]
    same = right_versions(assignment, solution)
    for version, tried in zip(same, try_versions(assignment, oracle, same, workers=WORKERS), strict=True):
        if not tried.killed and not tried.undecided:
            found.checks += tried.checks
        elif apart(assignment, oracle, version, solution) <= SAME:
            found.checks += tried.checks
            found.false_fails.append(f"{version.words}: {', '.join(tried.codes)}")
        else:
            found.no_variants += 1
    wrong = [*mutated_versions(assignment, solution, most=MUTANTS), *damaged_versions(assignment, solution)]
    for _, source in odd:
        if len(source.files) == 1:
            wrong += mutated_versions(assignment, source, most=MUTANTS_ODD)
    judge_wrong(assignment, oracle, solution, wrong, found)
    return found


def judge_wrong(
    assignment: Assignment, oracle: Oracle, solution: Source, wrong: Sequence[Version], found: Figures
) -> None:
    tried = try_versions(assignment, oracle, wrong, seconds=20.0, workers=WORKERS)
    found.killed = sum(each.killed for each in tried)
    left: list[tuple[Version, Tried]] = [
        (version, each)
        for version, each in zip(wrong, tried, strict=True)
        if not each.killed and each.codes != ["UNCHANGED"]
    ]
    banks = {
        exercise: bank(assignment, oracle, assignment.exercise(exercise), place(assignment, solution)())
        for exercise in dict.fromkeys(name for version, _ in left for name in version.exercises)
    }
    looked = look_closer(assignment, oracle, [version for version, _ in left], banks, workers=WORKERS)
    for (version, each), closer in zip(left, looked, strict=True):
        if closer.hole is not None:
            case = banks[closer.exercise].configurations[closer.hole].spec.name
            found.missed.append(f"{version.words}: seen by {closer.exercise} with {case}: {closer.found}")
        elif each.undecided:
            found.missed.append(f"{version.words}: undecided")
        else:
            apart = "another form" if closer.apart is None else f"at most {closer.apart:.0e} apart"
            found.equivalent.append(f"{version.words}: right in {closer.tried} other configurations, {apart}")


def test_never_wrong(tmp_path: Path) -> None:
    every: dict[str, Figures] = {}
    asked = os.environ.get("GRADMARK_TOPICS")
    for name in asked.split(",") if asked else assignment_names():
        found = every[name] = measure(name, tmp_path / name)
        seen = f"{found.checks} right, {found.killed} caught"
        print(f"{name}: {seen}", *found.false_fails, *found.missed, sep="\n  ", file=sys.stderr, flush=True)
    print(
        f"\n{'topic':<12} {'right':>8} {'failed':>7} {'caught':>8} {'missed':>7} {'equivalent':>11} {'no variant':>11}"
    )
    for name, figures in every.items():
        print(
            f"{name:<12} {figures.checks:8} {len(figures.false_fails):7} {figures.killed:8} {len(figures.missed):7} "
            f"{len(figures.equivalent):11} {figures.no_variants:11}"
        )
    checks, failed = sum(f.checks for f in every.values()), sum(len(f.false_fails) for f in every.values())
    caught, missed = sum(f.killed for f in every.values()), sum(len(f.missed) for f in every.values())
    print(f"checks of right code not passed: {failed} of {checks}, below {upper_bound(failed, checks):.1e} (95 %)")
    print(f"wrong ones caught: {caught} of {caught + missed}, {100 * caught / (caught + missed):.3f} %")
    for title in ("false_fails", "missed", "equivalent"):
        for name, figures in every.items():
            for line in getattr(figures, title):
                print(f"{title.replace('_', ' ')}: {name}: {line}")
    assert failed == 0
    if not asked:
        assert checks >= RIGHT
        assert caught + missed >= WRONG
    assert caught >= CAUGHT * (caught + missed)
