"""Every topic's worked solution under 20 private seeds, with NumPy and with torch: full marks, nothing undecided.

    python -m pytest tests/benchmarks/test_worked_solutions.py -m benchmark -s

A false fail here is the worst that a grader can do. Prints checks, undecided ones and seconds a grading for each topic.
"""

from __future__ import annotations

import time

import pytest
from topics import PROFILES, grade_solution

from grader.calls import Profile

SEEDS = range(100, 120)


@pytest.mark.benchmark
@pytest.mark.parametrize(("name", "profile"), PROFILES)
def test_full_marks_whatever_the_seed(name: str, profile: Profile) -> None:
    checks, start = 0, time.process_time()
    for seed in SEEDS:
        report = grade_solution(name, profile=profile, seed=seed)
        assert (report.score.verdict, report.score.undecided) == ("passed", 0), (seed, report.score)
        assert report.score.earned == report.score.possible
        checks += sum(len(part.checks) for exercise in report.exercises for part in exercise.parts)
    seconds = (time.process_time() - start) / len(SEEDS)
    print(f"\n{name:12} {profile:6} {checks:6} checks passed, 0 undecided, {seconds:.2f} CPU-s a grading in process")
