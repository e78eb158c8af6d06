"""Every topic's worked solution under 20 private seeds, on NumPy, torch and a pretend GPU: full marks, none undecided.

    python -m pytest tests/benchmarks/test_worked_solutions.py -m benchmark -s

A false fail is the worst that a grader can do. The seconds are those of a grading whose hidden cases are all new.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from topics import PRETEND, PROFILES, Sandboxes, checks, grade_solution, sandboxes

from grader.calls import Profile

SEEDS = range(100, 120)


@pytest.fixture(scope="module")
def where() -> Iterator[Sandboxes]:
    with sandboxes() as every:
        yield every


@pytest.mark.benchmark
@pytest.mark.parametrize(("name", "profile"), [*PROFILES, *PRETEND])
def test_full_marks_whatever_the_seed(name: str, profile: Profile, where: Sandboxes) -> None:
    passed, start = 0, time.perf_counter()
    for seed in SEEDS:
        report = grade_solution(name, where, profile=profile, seed=seed)
        assert (report.score.verdict, report.score.undecided) == ("passed", 0), (seed, report.score)
        assert report.score.earned == report.score.possible
        passed += len(list(checks(report)))
    seconds = (time.perf_counter() - start) / len(SEEDS)
    print(f"\n{name:12} {profile:12} {passed:6} checks passed, 0 undecided, {seconds:.2f} s a grading")
