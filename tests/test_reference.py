"""The oracle: what depends on the assignment and a seed alone is made once, however many submissions are graded."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
import torch
from courses import checks, grade_text, make_course

from grader import grading
from grader.assignment import Assignment
from grader.cases import draw_case
from grader.reference import Oracle
from grader.report.model import Report

EXERCISE = """name = "e"
kind = "layer"
forward = "f"
backward = "b"
reference = "f"
inputs = { x = "N D" }
output = "N D"
points = { forward = 1, backward = 2 }
[[exercise.case]]
name = "one"
sizes = { N = 2, D = 3 }
[[exercise.case]]
name = "hidden"
sizes = { N = [2, 5], D = [2, 9] }
hidden = true
"""
REFERENCE = "def f(x):\n    assert torch.get_num_threads() == 1\n    return torch.tanh(x)\n"
RIGHT = "def f(x):\n    t = np.tanh(x)\n    return t, t\ndef b(d, t):\n    return d * (1 - t * t)\n"
WRONG = RIGHT.replace("1 - t * t", "1 - t")
WRITES = RIGHT.replace("t = np.tanh(x)", "t = np.tanh(x)\n    x[...] = 7.0").replace(
    "return d *", "d *= 1\n    return d *"
)


@pytest.fixture
def course(tmp_path: Path) -> Assignment:
    return make_course(tmp_path, EXERCISE, REFERENCE)


def plain(report: Report) -> Any:
    """The report without its clock."""
    document = msgspec.to_builtins(report)
    for exercise in document["exercises"]:
        for part in exercise["parts"]:
            for check in part["checks"]:
                check.pop("seconds", None)
    return {**document, "started": "", "seconds": 0.0}


def test_a_class_is_judged_as_each_submission_is_alone(course: Assignment) -> None:
    """Whatever the others are and do: they may write into their arguments, and be wrong."""
    shared = Oracle(course)
    for seed in (None, 5, None, 6):
        for text in (WRITES, WRONG, RIGHT, WRONG, WRITES):
            together = grade_text(course, text, oracle=shared, hidden_seed=seed)
            assert plain(together) == plain(grade_text(course, text, hidden_seed=seed))


def test_a_class_draws_each_case_once_under_each_seed(course: Assignment, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: Counter[tuple[str, int | None]] = Counter()

    def counted(assignment: Assignment, exercise: Any, spec: Any, seed: int | None) -> Any:
        drawn[spec.name, seed] += 1
        return draw_case(assignment, exercise, spec, seed)

    monkeypatch.setattr(grading, "draw_case", counted)
    oracle = Oracle(course)
    sizes = []
    for _ in range(3):
        for seed in (None, 5):
            grade_text(course, RIGHT, oracle=oracle, hidden_seed=seed)
            grade_text(course, WRONG, oracle=oracle, hidden_seed=seed)
        sizes.append(len(oracle._made))
    assert drawn == {("one", None): 1, ("hidden", None): 1, ("hidden", 5): 1}
    assert sizes[0] == sizes[1] == sizes[2]


def test_the_calls_that_are_asked_do_not_depend_on_who_was_graded_before(course: Assignment) -> None:
    oracle, asked = Oracle(course), []
    for text in (RIGHT, WRONG, RIGHT):
        report = grade_text(course, text, oracle=oracle)
        asked.append([check.calls for check in checks(report)])
    assert asked[0] == asked[2] != asked[1]


def test_what_could_not_be_made_is_tried_again(course: Assignment) -> None:
    oracle, tried = Oracle(course), []

    def make() -> int:
        tried.append(1)
        if len(tried) == 1:
            raise OSError("not now")
        return 5

    with pytest.raises(OSError, match="not now"):
        oracle.once("key", make)
    assert [oracle.once("key", make) for _ in range(3)] == [5, 5, 5]
    assert len(tried) == 2


def test_the_reference_computes_in_one_thread_and_leaves_the_number_as_it_was(course: Assignment) -> None:
    before = torch.get_num_threads()
    try:
        for threads in (3, 1):
            torch.set_num_threads(threads)
            assert grade_text(course, RIGHT).score.verdict == "passed"
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
