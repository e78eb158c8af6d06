"""The topic of pure functions with JAX: the worked solution, and wrong submissions, judged as with NumPy.

    python -m pytest tests/benchmarks/test_jax.py -m benchmark -s

JAX compiles each operation for each shape, in each process anew: a gradient takes seconds where NumPy takes
milliseconds. The table says how many.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from topics import topic

from grader.assignment import Assignment, Limits
from grader.authoring.corpus import compose, read_slips
from grader.calls import Profile, Rung
from grader.grading import grade_path
from grader.report.model import Report
from grader.sandbox.pool import Sandbox

pytest.importorskip("jax", reason="JAX is not installed: pip install 'gradmark[jax]'")

SLIPS = (
    "gradient_biases_left_out",
    "gradient_last_layer_only",
    "gradient_mask_of_the_gradient",
    "gradient_mean_again",
    "gradient_no_mask",
    "gradient_no_minus_one",
    "loss_epsilon_in_log",
    "loss_not_stable",
    "predict_relu_on_scores",
    "update_uphill",
    "update_weights_only",
)
KEPT = {"gradient": ["loss"], "loss": ["loss"], "predict": ["predict"], "update": ["update"]}
"""Exercises that a submission is graded for, by how its name begins: those that it is about."""


@pytest.fixture(scope="module")
def where() -> Iterator[dict[Profile, Sandbox]]:
    with Sandbox(Profile.NUMPY, require=Rung.NONE) as arrays, Sandbox(Profile.JAX, require=Rung.NONE) as jax:
        yield {Profile.NUMPY: arrays, Profile.JAX: jax}


PATIENCE = Limits(call_seconds=100, load_seconds=100, total_seconds=1500)
"""What is compiled at each call is not the student's to answer for."""


def with_jax(assignment: Assignment) -> Assignment:
    """The same for JAX."""
    return replace(assignment, profile=Profile.JAX, limits=PATIENCE)


def said(report: Report) -> list[tuple[object, ...]]:
    """What a report says, but for numbers that rounding moves and the student's own words."""
    return [
        (exercise.name, part.name, part.earned, check.case, check.status, [told.code for told in check.findings])
        for exercise in report.exercises
        for part in exercise.parts
        for check in part.checks
    ]


@pytest.mark.benchmark
def test_the_worked_solution_earns_every_point(where: dict[Profile, Sandbox]) -> None:
    assignment, oracle = topic("functional")
    assert assignment.solution is not None
    start = time.perf_counter()
    report = grade_path(with_jax(assignment), assignment.solution, sandbox=where[Profile.JAX], oracle=oracle)
    assert report.score.verdict == "passed"
    assert report.score.earned == report.score.possible
    print(f"\nworked solution: {report.score.earned:g} points, {time.perf_counter() - start:.0f} s")


@pytest.mark.benchmark
@pytest.mark.parametrize("name", SLIPS)
def test_a_wrong_submission_is_judged_as_with_numpy(name: str, tmp_path: Path, where: dict[Profile, Sandbox]) -> None:
    assignment, oracle = topic("functional")
    (slip,) = [slip for slip in read_slips("functional") if slip.name == name]
    handed = compose(slip, assignment, tmp_path)
    some = assignment.only(KEPT[name.partition("_")[0]])
    reports, seconds = {}, {}
    for profile, sandbox in where.items():
        start = time.perf_counter()
        asked = with_jax(some) if profile is Profile.JAX else some
        reports[profile] = grade_path(asked, handed, sandbox=sandbox, oracle=oracle)
        seconds[profile] = time.perf_counter() - start
    assert said(reports[Profile.JAX]) == said(reports[Profile.NUMPY])
    assert reports[Profile.JAX].score.verdict == "failed"
    print(f"\n{name:32} {seconds[Profile.JAX]:5.1f} s with JAX, {seconds[Profile.NUMPY]:.2f} s with NumPy")
