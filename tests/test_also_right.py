"""Exercises with more than one right answer (`also_right`): each is right, a mixture of two is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from courses import codes, grade_text, make_course, parts

FUNCTION = (
    'name = "e"\nkind = "function"\nfunction = "f"\nreference = "f"\nalso_right = ["half"]\ninputs = { x = "N D" }\n'
    'points = { value = 1 }\n[[exercise.case]]\nname = "small"\nsizes = { N = 3, D = 4 }\n'
)
SQUARES = "def f(x):\n    return (x**2).sum(dim=1)\n\ndef half(x):\n    return f(x) / 2\n"


@pytest.mark.parametrize(("factor", "passes"), [("1", True), ("0.5", True), ("0.25", False)])
def test_what_equals_any_of_the_references_passes(tmp_path: Path, factor: str, passes: bool) -> None:
    text = f"def f(x):\n    return {factor} * (x**2).sum(axis=1)"
    report = grade_text(make_course(tmp_path, FUNCTION, SQUARES), text)
    assert (report.score.verdict == "passed") is passes
    if not passes:  # told by the first reference
        (told,) = [found for check in parts(report)["value"].checks for found in check.findings]
        assert "every element is 1/4 of the expected one" in told.pattern


LAYER = (
    'name = "e"\nkind = "layer"\nforward = "forward"\nbackward = "backward"\nreference = "f"\n'
    'also_right = ["everywhere"]\n'
    'inputs = { x = { axes = "N D", draw = "ties" } }\noutput = "N M"\nderived = { M = "D - 1" }\n'
    'points = { forward = 1, backward = 1 }\n[[exercise.case]]\nname = "ties"\nsizes = { N = 6, D = 9 }\n'
)
LARGEST = """
def f(x):
    return torch.where(x[:, :-1] >= x[:, 1:], x[:, :-1], x[:, 1:])

def everywhere(x):
    left, right, largest = x[:, :-1], x[:, 1:], f(x).detach()
    return largest + torch.where(left == largest, left - largest, 0) + torch.where(right == largest, right - largest, 0)
"""
MAXIMUM = """
def forward(x):
    return np.maximum(x[:, :-1], x[:, 1:]), x

def backward(dout, x):
    dx = np.zeros_like(x)
    dx[:, :-1] += dout * (x[:, :-1] >= x[:, 1:])
    dx[:, 1:] += dout * (x[:, 1:] >= x[:, :-1])
    return dx
"""


def test_a_gradient_that_no_difference_gives_passes_where_the_course_says_so(tmp_path: Path) -> None:
    (tmp_path / "with").mkdir()
    assert grade_text(make_course(tmp_path / "with", LAYER, LARGEST), MAXIMUM).score.verdict == "passed"
    (tmp_path / "without").mkdir()
    strict = make_course(tmp_path / "without", LAYER.replace('also_right = ["everywhere"]\n', ""), LARGEST)
    assert codes(parts(grade_text(strict, MAXIMUM))["backward"]) == {"WRONG_GRADIENT"}


def test_a_reference_that_is_not_there_is_the_courses_fault(tmp_path: Path) -> None:
    course = make_course(tmp_path, FUNCTION.replace("half", "none"), SQUARES)
    assert grade_text(course, "def f(x):\n    return (x**2).sum(axis=1)").score.verdict == "passed"
    report = grade_text(course, "def f(x):\n    return x.sum(axis=1)")
    assert (report.score.verdict, codes(parts(report)["value"])) == ("undecided", {"ORACLE_FAILED"})


LOSS = (
    'name = "e"\nkind = "loss"\nloss = "loss"\nreference = "whole"\nalso_right = ["half"]\n'
    'inputs = { w = "N D" }\narguments = { reg = 0.3 }\npoints = { value = 1, gradient = 2 }\n'
    '[[exercise.case]]\nname = "small"\nsizes = { N = 3, D = 4 }\n'
)
READINGS = (
    "def whole(w, reg):\n    return w.sum() + reg * (w * w).sum()\ndef half(w, reg):\n    return whole(w, reg / 2)\n"
)
TEXT = "def loss(w, reg):\n    return w.sum() + {value} * reg * (w * w).sum(), 1 + {gradient} * reg * w\n"


@pytest.mark.parametrize(
    ("value", "gradient", "found"),
    [
        (1, 2, {"value": set(), "gradient": set()}),
        (0.5, 1, {"value": set(), "gradient": set()}),
        (1, 1, {"value": set(), "gradient": {"WRONG_GRADIENT"}}),
        (0.5, 2, {"value": set(), "gradient": {"WRONG_GRADIENT"}}),
        (2, 4, {"value": {"WRONG_VALUE"}, "gradient": {"GRADIENT_FOLLOWS_FORWARD"}}),
    ],
)
def test_a_gradient_is_that_of_the_same_reading(
    value: float, gradient: float, found: dict[str, set[str]], tmp_path: Path
) -> None:
    report = grade_text(make_course(tmp_path, LOSS, READINGS), TEXT.format(value=value, gradient=gradient))
    assert {name: codes(part) for name, part in parts(report).items()} == found


STEP = (
    'name = "e"\nkind = "step"\nstep = "step"\nreference = "plain"\nalso_right = ["nesterov"]\n'
    'inputs = { w = "N D" }\narguments = { lr = 0.1 }\npoints = { step = 1 }\n'
    '[[exercise.case]]\nname = "small"\nsizes = { N = 3, D = 4 }\n'
)
STEPS = (
    "def plain(params, lr):\n    return torch.optim.SGD(params, lr=lr)\n"
    "def nesterov(params, lr):\n    return torch.optim.SGD(params, lr=2 * lr)\n"
)


@pytest.mark.parametrize(("rate", "found"), [(1, set()), (2, set()), (3, {"WRONG_TRAJECTORY"})])
def test_a_trajectory_follows_one_reading(rate: int, found: set[str], tmp_path: Path) -> None:
    text = f"def step(w, grads, lr):\n    return w - {rate} * lr * grads\n"
    assert codes(parts(grade_text(make_course(tmp_path, STEP, STEPS), text))["step"]) == found
